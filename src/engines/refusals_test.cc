#include "engines/refusals.h"

#include <gtest/gtest.h>

namespace craton::engines {
namespace {

TEST(Refusals, TellACallerWhyAModelIsNotThereButNoFolders) {
  EXPECT_EQ(not_loaded("model file /srv/models/a.gguf cannot be loaded: no magic. Fetch it again.")
                .message,
            "The model that answers here cannot be used: model file a.gguf cannot be loaded: "
            "no magic. "
            "Fetch it again. The server's log and `craton doctor` say more.");
  EXPECT_EQ(without_folders("'/a/b c' and /d"), "'b c' and d");
  EXPECT_EQ(without_folders("and/or 3/4 https://x/y"), "and/or 3/4 https://x/y");
  EXPECT_EQ(without_folders("/"), "");
  EXPECT_EQ(without_folders("in /srv/ there"), "in  there");
  EXPECT_EQ(without_folders(""), "");
}

}  // namespace
}  // namespace craton::engines

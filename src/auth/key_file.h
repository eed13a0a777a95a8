// The file of keys: JSON, readable by its owner alone.
//
//   {"keys": [{"name": "ci", "accessKeyId": "AKIA…", "secretAccessKey": "…",
//              "allow": ["bedrock:InvokeModel:anthropic.*"], "requestsPerMinute": 60,
//              "created": "2026-11-26T12:00:00Z"},
//             {"name": "app", "bearerKeyId": "BedrockAPIKey-x7mk", "sha256": "…", …}]}
//
// The secret of an access key is there because signatures cannot be verified without it; of
// bearer keys and session tokens there are hashes alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/result.h"

namespace craton::auth {

/// Fails with `validation` when it is no such text; says which key is wrong and how.
Result<std::vector<Identity>> keys_of(std::string_view text);
std::string text_of(const std::vector<Identity>& keys);

/// Those of the file; none where there is no file. Fails with `validation`, naming the file; also
/// when others than its owner may read it.
Result<std::vector<Identity>> read_key_file(const std::filesystem::path& path);

/// Makes the folder where it is missing.
Result<void> write_key_file(const std::filesystem::path& path, const std::vector<Identity>& keys);

/// Of "2026-11-26T12:00:00Z".
Result<WallTime> date_of(std::string_view text);

}  // namespace craton::auth

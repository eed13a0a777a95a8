#include "documents/document_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace craton::documents {
namespace {

std::string message_of(const Result<void>& result) { return result ? "" : result.error().message; }

TEST(DocumentRules, NamesHaveBedrocksCharacters) {
  const std::string longest(200, 'x');
  for (const std::string_view name :
       {"report", "My report_2 (final) [v-3]", "a\tb", longest.c_str()})
    EXPECT_EQ(message_of(check_document_name(name)), "") << name;
  const std::string refused =
      "The document file name can only contain alphanumeric characters, whitespace characters, "
      "hyphens, parentheses, and square brackets. The name can't contain more than one consecutive "
      "whitespace character. Check that the file name conforms to these restrictions and retry "
      "your "
      "request.";
  for (const std::string name :
       {"report.pdf", "a  b", "a \tb", "a/b", "보고서", "a\u3000b", "a\x01", "a:b"})
    EXPECT_EQ(message_of(check_document_name(name)), refused) << name;
}

TEST(DocumentRules, NamesHave1To200Characters) {
  const std::string refused =
      "The document file name must have 1 to 200 characters. Check that the file name conforms to "
      "this "
      "restriction and retry your request.";
  EXPECT_EQ(message_of(check_document_name("")), refused);
  EXPECT_EQ(message_of(check_document_name(std::string(201, 'x'))), refused);
}

TEST(DocumentRules, NamesDiffer) {
  const std::vector<std::string_view> same{"a", "b", "a"};
  EXPECT_EQ(message_of(check_document_names_differ(same)),
            "Messages can't contain duplicate document names. Rename the document and retry your "
            "request.");
  EXPECT_EQ(message_of(check_document_names_differ(std::vector<std::string_view>{"a", "A", "b"})),
            "");
  EXPECT_EQ(message_of(check_document_names_differ({})), "");
}

TEST(DocumentRules, AtMostFiveOfFourAndAHalfMegabytes) {
  EXPECT_EQ(message_of(check_document_count(5)), "");
  EXPECT_EQ(message_of(check_document_count(6)),
            "You can't include more than 5 documents in a request.");
  EXPECT_EQ(message_of(check_document_size("p", 4718592)), "");
  EXPECT_EQ(message_of(check_document_size("messages.0.content.1.document.source.bytes", 4718593)),
            "messages.0.content.1.document.source.bytes: document exceeds 4.5 MB maximum: 4718593 "
            "bytes > "
            "4718592 bytes");
}

TEST(DocumentRules, TextStandsBesideThem) {
  EXPECT_EQ(message_of(check_text_beside_documents(0, 0)), "");
  EXPECT_EQ(message_of(check_text_beside_documents(2, 1)), "");
  EXPECT_EQ(message_of(check_text_beside_documents(1, 0)),
            "A text block must be included when using documents. Add a text block and retry your "
            "request.");
}

}  // namespace
}  // namespace craton::documents

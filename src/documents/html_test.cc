#include "documents/html.h"

#include <gtest/gtest.h>

#include <chrono>

#include "documents/html_tokenizer.h"

namespace craton::documents {
namespace {

struct Page {
  const char* name;
  std::string html;
  std::string text;
};

const Page pages[] = {
    {"empty", "", ""},
    {"no_tags", "just text", "just text"},
    {"inline", "<p>a <b>bold</b><i>!</i> &amp; <a href='x>y'>link</a></p>", "a bold! & link"},
    {"paragraphs", "<h1>Title</h1><p>One\n two<p>Three", "Title\n\nOne two\n\nThree"},
    {"divs", "<div>a</div><div>b<div>c</div></div>d", "a\nb\nc\nd"},
    {"head",
     "<html><head><title>T &lt;1&gt;</title><style>p{}</style><meta charset=utf-8>"
     "<body>text",
     "T <1>\n\ntext"},
    {"script", "a<script>if (a<b) '</p>' + '<!--'</script>b<SCRIPT>x</ScRiPt >c", "abc"},
    {"script_open", "a<script>never closed <p>b", "a"},
    {"style_like", "a<scripty>b</scripty>", "ab"},
    {"comment", "a<!-- <p> -- > x -->b<!doctype html>c<?php echo ?>d</>e", "abcde"},
    {"comment_open", "a<!-- b", "a"},
    {"bulleted", "<ul><li>a<li>b<ul><li>c</ul></ul>d", "- a\n- b\n  - c\n\nd"},
    {"numbered", "<ol><li><p>a</p></li><li>b</li></ol>", "1. a\n\n2. b"},
    {"empty_item", "<ul><li></li><li>b</ul>", "- b"},
    {"table", "<table><tr><th>City<th>km</tr><tr><td>Seoul<td></td><td><p>494<br>m</p></table>x",
     "City\tkm\nSeoul\t\t494 m\n\nx"},
    {"table_in_table", "<table><tr><td>Menu<td><table><tr><td>a<td>b</table>after</table>",
     "Menu\n\na\tb\n\nafter"},
    {"cell_alone", "<td>a<td>b<p>c", "ab\n\nc"},
    {"breaks", "a<br>b<br/><br>c", "a\nb\n\nc"},
    {"pre", "<pre>\nif x:\n    y &lt; 1\n</pre>z", "if x:\n    y < 1\n\nz"},
    {"references", "&lt;&euro;&#8364;&#x20AC;&copy 2024 &notit; &nosuch; & &#0;&#150;&#xD800;&",
     "<€€€© 2024 ¬it; &nosuch; & \uFFFD–\uFFFD&"},
    {"lone_less", "1 < 2 <3 <", "1 < 2 <3 <"},
    {"tag_open", "a<b", "a"},
    {"attribute_quotes", "<p title=\"a > b\" x='>' y=>z>w", "z>w"},
    {"dropped", "a<svg><text>no</text></svg>b<noscript>no</noscript>c<template>d", "abcd"},
    {"korean", "<p>서울&nbsp;시", "서울\u00A0시"},
    {"utf16", std::string("\xFF\xFE<\0p\0>\0\x1C\xC1", 10), "서"},
    {"euc_kr", "<meta charset=\"EUC-KR\"><p>\xBC\xAD\xBF\xEF", "서울"},
    {"windows_1252",
     "<meta http-equiv=Content-Type content='text/html; charset=iso-8859-1'>\x93x\x94", "“x”"},
    {"broken_utf8", "a\xFFz", "a\uFFFDz"},
    {"said_otherwise", "<meta charset=euc-kr>서울", "서울"},
};

class Html : public testing::TestWithParam<Page> {};

TEST_P(Html, IsReadAsItIsSeen) {
  const auto text = html_text(GetParam().html, {});
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(Pages, Html, testing::ValuesIn(pages),
                         [](const auto& page) { return std::string(page.param.name); });

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

TEST(HtmlLimits, TextAndDepthAreBounded) {
  EXPECT_EQ(html_text("<p>abcdef", {.text_bytes_max = 5}).error().message,
            "The document cannot be read as html: it has more than 5 bytes of text.");
  EXPECT_EQ(html_text(repeated("<ul><li>", 8000), {}).error().message,
            "The document cannot be read as html: its elements are nested more than 200 deep.");
}

// Each of these makes some parser take time that grows with the square of its size: minutes here.
TEST(HtmlLimits, TimeFollowsTheSize) {
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string_view piece :
       {"<svg>", "<b>", "</i>", "<", "<!-", "<a ", "&amp", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "</svg", "<script>", "<!--", "<a b=\"", "<br>", "<td>"}) {
    const auto text = html_text("<a " + repeated(piece, 1'000'000), {});
    EXPECT_TRUE(text) << piece;
    EXPECT_TRUE(html_text(repeated(piece, 1'000'000), {})) << piece;
  }
  std::string attributes = "<a";
  for (int i = 0; i < 100'000; ++i) attributes += " a" + std::to_string(i);
  EXPECT_EQ(html_text(attributes + ">x", {}).value(), "x");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(2));
}

}  // namespace
}  // namespace craton::documents

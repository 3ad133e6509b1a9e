// SPDX-License-Identifier: MIT
#include "how_many_snakes/plot.hpp"

#include <cstddef>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace snakes;
using testing::HasSubstr;
using testing::Not;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(plot, has_a_dot_a_run_and_a_line_a_kind) {
  const Report report{.rows = {{Kind::serial, 1, 8},
                               {Kind::threads, 1, 8},
                               {Kind::threads, 2, 4},
                               {Kind::processes, 1, 8},
                               {Kind::processes, 2, 4}}};
  const std::string picture = plot(report, {2, 2, 2}, "title");
  EXPECT_EQ(count_of(picture, "<polyline"), 2U);
  EXPECT_EQ(count_of(picture, "<circle"), 4U);
  EXPECT_THAT(picture, HasSubstr(">2 CPUs<"));
}

TEST(plot, of_one_run_stands) {
  const Report report{.rows = {{Kind::serial, 1, 8}, {Kind::threads, 1, 8}}};
  const std::string picture = plot(report, {1, 1, 1}, "title");
  EXPECT_EQ(count_of(picture, "<polyline"), 1U);
  EXPECT_EQ(count_of(picture, "<circle"), 1U);
  EXPECT_THAT(picture, Not(HasSubstr("nan")));
  EXPECT_THAT(picture, Not(HasSubstr("inf")));
  EXPECT_THAT(picture, HasSubstr(">1 CPU<"));
}

TEST(plot, escapes_its_title) {
  const Report report{.rows = {{Kind::serial, 1, 8}}};
  EXPECT_THAT(plot(report, {1, 1, 1}, "a < b & \"c\"\x01"),
              HasSubstr("<title>a &lt; b &amp; &quot;c&quot;?</title>"));
}

}  // namespace

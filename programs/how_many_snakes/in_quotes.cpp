// SPDX-License-Identifier: MIT
#include "how_many_snakes/in_quotes.hpp"

#include <cstdio>

namespace snakes {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string in_quotes(std::string_view path) {
  std::string text = "'";
  for (const char c : path) {
    if (c == '\\' || c == '\'') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (is_control(c)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c) & 0xff);
      text += escape;
    } else {
      text += c;
    }
  }
  return text + '\'';
}

}  // namespace snakes

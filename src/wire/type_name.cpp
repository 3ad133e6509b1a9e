// SPDX-License-Identifier: MIT
#include <brood/wire/type_name.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "wire/demangle.hpp"

namespace brood::wire {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Where the angle bracket that opens before `at` closes, or npos.
std::size_t closing_bracket(std::string_view text, std::size_t at) {
  int open = 1;
  for (; at < text.size(); ++at) {
    if (text[at] == '<') ++open;
    if (text[at] == '>' && --open == 0) return at;
  }
  return std::string_view::npos;
}

// Drops template arguments that nobody writes: ", std::allocator<int> ".
void erase_argument(std::string& text, std::string_view head) {
  for (std::size_t at = text.find(head); at != std::string::npos; at = text.find(head, at)) {
    const std::size_t end = closing_bracket(text, at + head.size());
    if (end == std::string::npos) return;
    text.erase(at, end + 1 - at);
    if (text.compare(at, 2, " >") == 0) text.erase(at, 1);
  }
}

}  // namespace

std::string demangle(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled{
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free};
  if (!demangled) return mangled;
  std::string name = demangled.get();
  replace_all(name, "std::__cxx11::", "std::");
  for (const std::string_view head :
       {", std::char_traits<", ", std::allocator<", ", std::less<", ", std::hash<",
        ", std::equal_to<", ", std::default_delete<"}) {
    erase_argument(name, head);
  }
  replace_all(name, "std::basic_string<char>", "std::string");
  replace_all(name, "std::basic_string_view<char>", "std::string_view");
  return name;
}

std::string type_name(const std::type_info& type) { return demangle(type.name()); }

}  // namespace brood::wire

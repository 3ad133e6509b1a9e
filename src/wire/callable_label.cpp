// SPDX-License-Identifier: MIT
#include <brood/wire/callable_label.hpp>

#include <brood/wire/type_name.hpp>

#include "wire/symbols.hpp"

namespace brood::wire {

CodeRef code_of(const CallableLabel& label, Reader& in) {
  if (label.kind == CallableKind::function) return read_code(in);
  if (label.kind == CallableKind::member_function) return detail::read_member_code(in);
  return {};
}

std::string name_of(const std::type_info& type, CodeRef code) {
  std::string name = code.image != 0 ? function_name(code) : std::string();
  return name.empty() ? type_name(type) : name;
}

}  // namespace brood::wire

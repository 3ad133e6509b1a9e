// SPDX-License-Identifier: MIT
#include <brood/wire/transport.hpp>

#include <brood/base/error.hpp>

namespace brood::wire::detail {

void throw_null_string() {
  throw ValueError(
      "cannot ship a string 'const char*': it is null; pass \"\" or a std::optional<std::string>");
}

}  // namespace brood::wire::detail

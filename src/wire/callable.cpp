// SPDX-License-Identifier: MIT
#include <brood/wire/callable.hpp>

#include <brood/base/error.hpp>

namespace brood::wire::detail {
namespace {

// Whether the target is an offset in the vtable. Itanium C++ ABI 2.3: the lowest
// bit of the target says so; on ARM, where code addresses use that bit, the
// lowest bit of the adjustment.
bool is_virtual(const MemberFunction& function) noexcept {
#if defined(__aarch64__) || defined(__arm__)
  return (function.adjustment & 1) != 0;
#else
  return (function.target & 1) != 0;
#endif
}

}  // namespace

ShippedMemberFunction ship(MemberFunction function) {
  if (is_virtual(function)) {
    return {{0, static_cast<std::uint64_t>(function.target)}, function.adjustment};
  }
  if (function.target == 0) throw_null_member();
  return {locate(reinterpret_cast<const void*>(function.target)), function.adjustment};
}

MemberFunction unship(const ShippedMemberFunction& function) {
  if (function.target.image == 0) {
    return {static_cast<std::intptr_t>(function.target.offset), function.adjustment};
  }
  return {reinterpret_cast<std::intptr_t>(resolve(function.target)), function.adjustment};
}

void throw_local() {
  throw ShipError(
      "cannot ship callable: brood::local(f) stays in this process; use it with Context::thread, "
      "or "
      "with a Process of Context::fork, or bind its values with brood::task(f, values...)");
}

void throw_null_member() {
  throw ShipError("cannot ship callable: it is a null pointer to member");
}

}  // namespace brood::wire::detail

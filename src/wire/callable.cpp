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

// A vtable offset is the same everywhere; in its place for what lies elsewhere.
constexpr std::uint64_t no_offset = ~std::uint64_t{0};

}  // namespace

void ship_member(Writer& out, MemberFunction function) {
  const bool in_vtable = is_virtual(function);
  if (!in_vtable && function.target == 0) throw_null_member();
  out.write(&function.adjustment, sizeof function.adjustment);
  const std::uint64_t offset = in_vtable ? static_cast<std::uint64_t>(function.target) : no_offset;
  out.write(&offset, sizeof offset);
  if (!in_vtable) ship_code(out, reinterpret_cast<const void*>(function.target));
}

MemberFunction take_member(Reader& in) {
  MemberFunction function{};
  in.read(&function.adjustment, sizeof function.adjustment);
  std::uint64_t offset = 0;
  in.read(&offset, sizeof offset);
  function.target = offset == no_offset ? reinterpret_cast<std::intptr_t>(take_code(in))
                                        : static_cast<std::intptr_t>(offset);
  return function;
}

CodeRef read_member_code(Reader& in) {
  std::intptr_t adjustment = 0;
  in.read(&adjustment, sizeof adjustment);
  std::uint64_t offset = 0;
  in.read(&offset, sizeof offset);
  return offset == no_offset ? read_code(in) : CodeRef{};
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

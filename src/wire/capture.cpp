// SPDX-License-Identifier: MIT
#include <brood/wire/capture.hpp>

#include <optional>
#include <string>

#include <brood/base/error.hpp>
#include <brood/wire/type_name.hpp>

#include "base/mapping_at.hpp"

namespace brood::wire::detail {

void refuse_pointer(std::uintptr_t word, std::size_t offset, const std::type_info& callable) {
  const std::optional<std::string> target = base::mapping_at(word);
  if (!target) return;
  throw ShipError("cannot ship callable '" + type_name(callable) +
                  "': the captured word at byte offset " + std::to_string(offset) +
                  " points into this process's memory" +
                  (target->empty() ? "" : " (" + *target + ")") +
                  ", which a worker does not share (a reference, this or a char*); capture the "
                  "value itself, bind it with brood::task(f, value), or say brood::values(f) if it "
                  "only looks like a pointer");
}

}  // namespace brood::wire::detail

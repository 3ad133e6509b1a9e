// SPDX-License-Identifier: MIT
#include "pool/charter.hpp"

#include <cstddef>
#include <cstdint>

#include <brood/base/error.hpp>

#include "fuzz/fuzz.hpp"
#include "os/memory.hpp"

// Any bytes, read as what a pool tells its workers: a charter or a ShipError.

namespace {

using namespace brood;

testing::Bytes written(const detail::Charter& charter) {
  const os::UniqueFd memory = charter.to_memory();
  const os::Mapping mapped = os::map_read_only(memory.get(), os::memory_size(memory.get()));
  return {mapped.bytes().begin(), mapped.bytes().end()};
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  detail::Charter full;
  full.pool_name = "pool";
  full.initializer = {testing::Bytes(40, std::byte{1}), true};
  full.preload = {testing::Bytes(3, std::byte{2}), true};
  full.memory_limit = 1 << 20;
  full.places = {{{0, 1}, 0}, {{2, 3}, std::nullopt}, {}};
  full.niceness = -3;
  testing::write_seeds({written({}), written(full)});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const testing::Input input(data, size);
  try {
    const os::UniqueFd memory = os::copy_to_memory("fuzz", input.bytes());
    const auto charter = detail::Charter::from_memory(memory.get());
    testing::require(charter.pool_name.size() <= size && charter.preload.bytes.size() <= size);
    testing::require(written(charter).size() <= size + 8);
  } catch (const ShipError&) {
    return 0;
  }
  return 0;
}

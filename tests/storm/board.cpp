// SPDX-License-Identifier: MIT
#include "board.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "os/memory.hpp"
#include "os/syscall.hpp"

namespace brood::storm {
namespace {

// Never closed nor unmapped: the name that workers open it by is this number's.
struct Opened {
  os::UniqueFd memory;
  os::Mapping mapping;
};
Opened* opened = nullptr;

}  // namespace

Board& board() noexcept { return *reinterpret_cast<Board*>(opened->mapping.data()); }

void open_board(std::uint64_t capacity) {
  opened = new Opened;
  if (const char* const path = std::getenv(os::kill_plan_variable)) {
    opened->memory = os::UniqueFd(os::check(::open(path, O_RDWR | O_CLOEXEC), "open the board"));
    opened->mapping = os::map_shared(opened->memory.get(), os::memory_size(opened->memory.get()));
    return;
  }
  const std::size_t size = sizeof(Board) + static_cast<std::size_t>(capacity);
  opened->memory = os::make_memory("storm-board", size);
  opened->mapping = os::map_shared(opened->memory.get(), size);
  board().capacity = capacity;
  const std::string path =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(opened->memory.get());
  ::setenv(os::kill_plan_variable, path.c_str(), 1);
}

}  // namespace brood::storm

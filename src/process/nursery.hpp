// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "os/pidfd.hpp"
#include "os/unique_fd.hpp"
#include "process/cradle.hpp"
#include "process/order.hpp"

namespace brood::process {

struct Request {
  Order order;
  std::vector<int> descriptors;
};
using NextRequest = std::function<std::optional<Request>()>;
using Born = std::function<void(os::Child)>;

// The program's end of a nursery: a small process with one thread, of which all
// workers are copies. They are the program's own children all the same.
//
// Safety: births may be asked for by many threads; one at a time is served.
class Nursery {
 public:
  // How many descriptors an entry that becomes a nursery gets before its own:
  // see NurserySide.
  static constexpr std::size_t own_descriptors = 4;

  // A copy of this process as it is now becomes a nursery.
  // Throws: ContextError when other threads run (they are named), SystemError.
  static std::shared_ptr<Nursery> clone_here(std::string_view name);
  // The program anew becomes one, as its brood::init finds in `order`. Where there are
  // threads already, of which no copy can be made.
  // Throws: SystemError.
  static std::shared_ptr<Nursery> exec_here(const Order& order);
  // One that is born of this one, and runs `preload` (an entry) before it serves;
  // the entry's descriptors follow it.
  std::shared_ptr<Nursery> make_another(const Order& order, std::span<const int> descriptors);

  Nursery(os::Child self, os::UniqueFd channel, int cradle);
  ~Nursery();
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  // Blocks: for the birth, some 0.3 ms.
  // Throws: SystemError when the kernel refuses a process; ContextError when the
  // nursery is gone, and no child with it.
  os::Child birth(const Order& order, std::span<const int> descriptors);
  // As many as `next` has requests for. It makes them while the nursery is at those
  // before, so that neither waits for the other; `born` is handed the children in the same
  // order.
  // Blocks: for all of them; others who ask for a birth wait as well.
  // Throws: as birth does, and what the two throw. Those that `born` was handed live on,
  // and there are no others.
  void births(const NextRequest& next, const Born& born);

  // The first message that a preloading nursery sends; empty when it died first.
  // Nothing when `interruption`, a descriptor, became readable before.
  // Blocks: until then.
  std::optional<std::vector<std::byte>> hear(std::size_t most_bytes, int interruption = -1);
  // For one that is not to go on, or has gone: how it ended. Kills it if need be.
  os::ExitStatus end();

  int pid() const noexcept { return self_.pid; }
  int pidfd() const noexcept { return self_.pidfd.get(); }
  bool is_alive() const noexcept;

 private:
  bool ask(std::span<const Order> row, std::span<const int> descriptors);
  class Answer;
  class Rows;
  Answer answer(std::size_t row_size);
  [[noreturn]] void give_up();

  std::mutex mutex_;
  os::Child self_;
  std::optional<os::ExitStatus> ended_;  // once it's reaped
  std::uint32_t answered_ = 0;           // rows
  os::UniqueFd channel_;
  Cradle cradle_;
};

// What a nursery has of its own, in the order in which an entry is given them.
struct NurserySide {
  os::UniqueFd channel;
  os::UniqueFd program;   // a pidfd
  os::UniqueFd lifeline;  // its read end
  os::UniqueFd cradle;

  // Requires: there are own_descriptors at least.
  static NurserySide from(Kit& kit) noexcept;
};

// The nursery's own side: serves orders until the program is gone.
[[noreturn]] void serve(NurserySide own) noexcept;

}  // namespace brood::process

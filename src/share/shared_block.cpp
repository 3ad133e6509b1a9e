// SPDX-License-Identifier: MIT
#include <brood/share/shared_block.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <brood/base/error.hpp>

#include "os/memory.hpp"
#include "os/thread_list.hpp"
#include "share/known_blocks.hpp"

namespace brood::detail {
namespace {

// What a message says of a block that it doesn't contain: a descriptor of the
// process that made the message, and what must be found behind it.
struct Reference {
  std::int32_t process = 0;
  std::int32_t descriptor = 0;
  std::uint64_t file = 0;    // the memory's own number
  std::uint64_t serial = 0;  // of the block, in the process that made it
  std::uint64_t size = 0;

  friend auto operator<=>(const Reference&, const Reference&) = default;
};

enum class Form : std::uint8_t { bytes, reference };

std::atomic<std::uint64_t> latest_serial{0};

class MappedBlock final : public SharedBlock {
 public:
  // Requires: sealed.
  explicit MappedBlock(os::UniqueFd memory, std::size_t size)
      : mapping_(os::map_read_only(memory.get(), size)), memory_(memory.release()) {
    mapping_.not_in_dumps(0);
  }
  ~MappedBlock() override { os::UniqueFd{memory_}.reset(); }

  std::span<const std::byte> bytes() const noexcept override { return mapping_.bytes(); }

  Reference reference() const {
    return {os::current_process_id(), memory_, os::memory_number(memory_), serial_,
            mapping_.size()};
  }

 private:
  const void* value_or(const std::function<std::shared_ptr<const void>()>& make) override {
    std::call_once(made_, [&] { value_ = make(); });
    return value_.get();
  }

  os::Mapping mapping_;
  // As the mapping, it's also that of a child that the user forks.
  const int memory_;
  const std::uint64_t serial_ = ++latest_serial;
  std::once_flag made_;
  std::shared_ptr<const void> value_;
};

// The blocks of others that this process has open, so that a block which comes
// again is mapped once and its value made once. Those that no handle refers to
// stay until this process has nothing to do.
class KnownBlocks {
 public:
  static KnownBlocks& instance() {
    static auto& known = *new KnownBlocks;
    return known;
  }

  std::shared_ptr<MappedBlock> open(const Reference& reference) {
    const std::lock_guard lock(mutex_);
    auto& known = blocks_[reference];
    if (auto block = known.lock()) return block;
    auto block = open_anew(reference);
    known = block;
    kept_.push_back(block);
    if (kept_.size() > most_kept) kept_.pop_front();
    std::erase_if(blocks_, [](const auto& entry) { return entry.second.expired(); });
    any_kept_.store(true, std::memory_order_relaxed);
    return block;
  }

  bool keeps_any() const noexcept { return any_kept_.load(std::memory_order_relaxed); }

  void forget() noexcept {
    const std::lock_guard lock(mutex_);
    kept_.clear();
    any_kept_.store(false, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t most_kept = 16;

  static std::shared_ptr<MappedBlock> open_anew(const Reference& reference) {
    os::UniqueFd memory = os::open_memory_of(reference.process, reference.descriptor);
    if (!memory || os::memory_number(memory.get()) != reference.file ||
        os::memory_size(memory.get()) != reference.size ||
        !os::is_sealed_against_shrinking(memory.get())) {
      throw ShipError("cannot read a shared value: process " + std::to_string(reference.process) +
                      ", which shared it, has let go of it");
    }
    return std::make_shared<MappedBlock>(std::move(memory),
                                         static_cast<std::size_t>(reference.size));
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Reference, std::weak_ptr<MappedBlock>> blocks_;
  std::deque<std::shared_ptr<MappedBlock>> kept_;
  std::atomic<bool> any_kept_{false};
};

}  // namespace

SharedBlock::~SharedBlock() = default;

std::shared_ptr<SharedBlock> SharedBlock::make(
    std::size_t size, const std::function<void(std::span<std::byte>)>& fill) {
  os::UniqueFd memory = os::make_growing_memory("brood-shared");
  os::resize_memory(memory.get(), size);
  {
    const os::Mapping writable = os::map_shared(memory.get(), size);
    fill({writable.data(), size});
  }
  os::seal_for_good(memory.get());
  return std::make_shared<MappedBlock>(std::move(memory), size);
}

void SharedBlock::put(wire::Writer& out, const std::shared_ptr<SharedBlock>& block) {
  if (out.keep(block)) {
    const Reference reference = static_cast<const MappedBlock&>(*block).reference();
    const auto form = static_cast<std::uint8_t>(Form::reference);
    out.write(&form, sizeof form);
    out.write(&reference, sizeof reference);
    return;
  }
  const auto form = static_cast<std::uint8_t>(Form::bytes);
  const std::span<const std::byte> bytes = block->bytes();
  const auto size = static_cast<std::uint64_t>(bytes.size());
  out.write(&form, sizeof form);
  out.write(&size, sizeof size);
  out.write(bytes.data(), bytes.size());
}

std::shared_ptr<SharedBlock> SharedBlock::get(wire::Reader& in) {
  std::uint8_t form = 0;
  in.read(&form, sizeof form);
  if (form == static_cast<std::uint8_t>(Form::reference)) {
    Reference reference;
    in.read(&reference, sizeof reference);
    return KnownBlocks::instance().open(reference);
  }
  const std::size_t size = in.take_count(1);
  const std::byte* const bytes = in.take(size);
  return make(size, [bytes](std::span<std::byte> to) {
    if (!to.empty()) std::memcpy(to.data(), bytes, to.size());
  });
}

bool has_unused_blocks() noexcept { return KnownBlocks::instance().keeps_any(); }

void forget_unused_blocks() noexcept { KnownBlocks::instance().forget(); }

void throw_empty_share() {
  throw ValueError("cannot read a shared value: there is none in it; make it by brood::share");
}

}  // namespace brood::detail

// SPDX-License-Identifier: MIT
#include <brood/share/shared_block.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/base/large_memory.hpp>

#include "os/clone.hpp"
#include "os/memory.hpp"
#include "os/thread_list.hpp"
#include "share/known_blocks.hpp"
#include "share/lending.hpp"

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

// The same of memory that came along, and the number to give it back with.
struct Enclosed {
  std::uint64_t place = 0;
  std::uint64_t size = 0;
  std::uint64_t ticket = 0;
};

enum class Form : std::uint8_t {
  bytes,
  small_bytes,  // of a block in the writer's own memory
  reference,
  enclosed,  // memory that came along
};

// From here on memory of its own costs less than the copies.
constexpr std::size_t least_apart = std::size_t{64} << 10;

std::atomic<std::uint64_t> latest_serial{0};

class Block : public SharedBlock {
 private:
  const void* value_or(const std::function<std::shared_ptr<const void>()>& make) override {
    std::call_once(made_, [&] { value_ = make(); });
    return value_.get();
  }

  std::once_flag made_;
  std::shared_ptr<const void> value_;
};

// In memory that others can map.
class MappedBlock : public Block {
 public:
  std::span<const std::byte> bytes() const noexcept final { return bytes_; }

  // -1: there were too few for it.
  int descriptor() const noexcept { return descriptor_; }
  Reference reference() const {
    return {os::current_process_id(), descriptor_, os::memory_number(descriptor_), serial_,
            bytes_.size()};
  }

  // Others read it now, and won't say when they have let go.
  virtual void give() noexcept {}
  // The number by which whoever gets it now gives it back. 0: it need not.
  virtual std::uint64_t lend() {
    give();
    return 0;
  }

 protected:
  MappedBlock(const os::Mapping& mapping, std::size_t size, int descriptor)
      : bytes_(mapping.bytes().first(size)), descriptor_(descriptor) {}

 private:
  const std::span<const std::byte> bytes_;
  // As the mapping, it's also that of a child that the user forks.
  const int descriptor_;
  const std::uint64_t serial_ = ++latest_serial;
};

// Sealed here, or come from another process: the first bytes of what is there, to be given
// back with that number.
class SealedBlock final : public MappedBlock {
 public:
  SealedBlock(os::SealedMemory sealed, std::size_t size, std::uint64_t ticket)
      : MappedBlock(sealed.mapping, size, sealed.memory.release()),
        sealed_(std::move(sealed)),
        ticket_(ticket) {
    sealed_.mapping.not_in_dumps(0);
  }
  ~SealedBlock() override {
    sealed_.memory = os::UniqueFd(descriptor());
    const os::Loan loan = std::move(sealed_.loan);
    const bool is_ours = loan.copies_before == os::copies_made();
    if (!loan.lender || ticket_ == 0 || is_given_.load() || !is_ours) return;
    loan.lender->take_back(std::move(sealed_), ticket_);
  }

  void give() noexcept override { is_given_.store(true); }

 private:
  os::SealedMemory sealed_;
  const std::uint64_t ticket_;
  std::atomic<bool> is_given_{false};
};

// Filled by this process, which may do so again.
class LendableBlock final : public MappedBlock {
 public:
  LendableBlock(std::shared_ptr<LendableMemory> memory, std::size_t size)
      : MappedBlock(memory->mapping(), size, memory->fd()), memory_(std::move(memory)) {}

  void give() noexcept override { memory_->give_for_good(); }
  std::uint64_t lend() override { return memory_->lend(); }

 private:
  const std::shared_ptr<LendableMemory> memory_;
};

// Requires: it's mapped nowhere for writing.
std::shared_ptr<MappedBlock> sealed_block(os::UniqueFd memory, std::size_t size) {
  os::seal_for_good(memory.get());
  os::Mapping mapping = os::map_read_only(memory.get(), size);
  os::SealedMemory sealed{std::move(memory), std::move(mapping), {}};
  return std::make_shared<SealedBlock>(std::move(sealed), size, 0);
}

std::shared_ptr<MappedBlock> copy_to_block(std::span<const std::byte> bytes, bool is_view) {
  if (is_view) {
    if (auto lendable = lendable_copy(bytes)) {
      return std::make_shared<LendableBlock>(std::move(lendable), bytes.size());
    }
  }
  os::UniqueFd memory = os::make_growing_memory(block_name);
  os::write_memory(memory.get(), 0, bytes);
  return sealed_block(std::move(memory), bytes.size());
}

// A View's, in memory of this process alone.
class OwnBlock final : public Block {
 public:
  OwnBlock(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) noexcept
      : bytes_(bytes), owner_(std::move(owner)) {}

  std::span<const std::byte> bytes() const noexcept override { return bytes_; }

  const std::shared_ptr<MappedBlock>& for_others() const {
    const std::lock_guard lock(mutex_);
    if (!for_others_) for_others_ = copy_to_block(bytes_, true);
    return for_others_;
  }

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<MappedBlock> for_others_;
};

std::shared_ptr<SharedBlock> make_here(std::size_t size,
                                       const std::function<void(std::span<std::byte>)>& fill) {
  const std::shared_ptr<std::byte[]> memory(new std::byte[size]());  // make_shared aligns it less
  fill({memory.get(), size});
  return std::make_shared<OwnBlock>(std::span<const std::byte>(memory.get(), size), memory);
}

// The blocks of others that this process has open, so that a block which comes
// again is mapped once and its value made once. Those that no handle refers to
// stay until this process has nothing to do.
class KnownBlocks {
 public:
  static KnownBlocks& instance() {
    static auto& known = *new KnownBlocks;
    return known;
  }

  std::shared_ptr<MappedBlock> open(const Reference& reference, os::Seal least) {
    const std::lock_guard lock(mutex_);
    auto& known = blocks_[reference];
    if (auto block = known.lock()) return block;
    auto block = open_anew(reference, least);
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

  static std::shared_ptr<MappedBlock> open_anew(const Reference& reference, os::Seal least) {
    os::UniqueFd memory = os::open_memory_of(reference.process, reference.descriptor);
    const bool is_it = memory && os::memory_number(memory.get()) == reference.file &&
                       os::memory_size(memory.get()) >= reference.size;
    auto sealed = is_it ? os::open_sealed(std::move(memory), least) : std::nullopt;
    if (!sealed) {
      throw ShipError("cannot read a shared value: process " + std::to_string(reference.process) +
                      ", which shared it, has let go of it");
    }
    return std::make_shared<SealedBlock>(std::move(*sealed),
                                         static_cast<std::size_t>(reference.size), 0);
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
    std::size_t size, const std::function<void(std::span<std::byte>)>& fill, const Making& making) {
  if (making.small == Small::here && size < least_apart) return make_here(size, fill);
  if (making.is_view) {
    if (auto lendable = lendable_memory(size)) {
      const std::span<std::byte> bytes(lendable->mapping().data(), size);
      if (making.from_zeros && lendable->was_filled()) std::ranges::fill(bytes, std::byte{0});
      fill(bytes);
      lendable->close();
      return std::make_shared<LendableBlock>(std::move(lendable), size);
    }
  }
  os::UniqueFd memory = os::make_growing_memory(block_name);
  os::resize_memory(memory.get(), size);
  {
    const os::Mapping writable = os::map_shared(memory.get(), size);
    // A child's mapping would keep it from being sealed.
    writable.not_in_forks();
    expect_to_be_filled(writable.data(), size);
    fill({writable.data(), size});
  }
  return sealed_block(std::move(memory), size);
}

std::shared_ptr<SharedBlock> SharedBlock::copy_of(std::span<const std::byte> bytes,
                                                  const Making& making) {
  if (making.small == Small::shared || bytes.size() >= least_apart) {
    return copy_to_block(bytes, making.is_view);
  }
  return make_here(bytes.size(), [bytes](std::span<std::byte> to) {
    std::copy(bytes.begin(), bytes.end(), to.begin());
  });
}

std::shared_ptr<SharedBlock> SharedBlock::of(std::span<const std::byte> bytes,
                                             std::shared_ptr<const void> owner) {
  return std::make_shared<OwnBlock>(bytes, std::move(owner));
}

void SharedBlock::put(wire::Writer& out, const std::shared_ptr<SharedBlock>& block) {
  const std::span<const std::byte> bytes = block->bytes();
  const auto put_form = [&out](Form form) { out.write(&form, sizeof form); };
  const auto put_bytes = [&](Form form) {
    const auto size = static_cast<std::uint64_t>(bytes.size());
    put_form(form);
    out.write(&size, sizeof size);
    out.write(bytes.data(), bytes.size());
  };
  const auto* const own = dynamic_cast<const OwnBlock*>(block.get());
  if (own && bytes.size() < least_apart) return put_bytes(Form::small_bytes);
  const auto mapped = own ? own->for_others() : std::static_pointer_cast<MappedBlock>(block);
  if (mapped->descriptor() == -1) return put_bytes(Form::bytes);
  if (out.keep(mapped)) {
    mapped->give();
    const Reference reference = mapped->reference();
    put_form(Form::reference);
    return out.write(&reference, sizeof reference);
  }
  if (bytes.size() < least_apart) return put_bytes(Form::bytes);
  const auto place = out.enclose(mapped->descriptor(), mapped);
  if (!place) return put_bytes(Form::bytes);
  const Enclosed enclosed{*place, bytes.size(), mapped->lend()};
  put_form(Form::enclosed);
  out.write(&enclosed, sizeof enclosed);
}

std::shared_ptr<SharedBlock> SharedBlock::get(wire::Reader& in, bool from_lender) {
  const os::Seal least = from_lender ? os::Seal::but_for_mappings : os::Seal::for_good;
  Form form{};
  in.read(&form, sizeof form);
  if (form == Form::reference) {
    Reference reference;
    in.read(&reference, sizeof reference);
    return KnownBlocks::instance().open(reference, least);
  }
  if (form == Form::enclosed) {
    Enclosed enclosed;
    in.read(&enclosed, sizeof enclosed);
    const auto place = static_cast<std::uint32_t>(enclosed.place);
    const auto sealed = std::static_pointer_cast<os::SealedMemory>(in.enclosed(place));
    if (!sealed || sealed->mapping.size() < enclosed.size) throw_wrong_share();
    if (sealed->loan.lender && !from_lender) throw_wrong_share();
    return std::make_shared<SealedBlock>(std::move(*sealed),
                                         static_cast<std::size_t>(enclosed.size), enclosed.ticket);
  }
  const std::size_t size = in.take_count(1);
  const std::span<const std::byte> bytes(in.take(size), size);
  return copy_of(bytes, {.small = form == Form::small_bytes ? Small::here : Small::shared});
}

bool has_unused_blocks() noexcept {
  return KnownBlocks::instance().keeps_any() || keeps_lendable_memory();
}

void forget_unused_blocks() noexcept {
  KnownBlocks::instance().forget();
  forget_lendable_memory();
}

void throw_empty_share() {
  throw ValueError("cannot read a shared value: there is none in it; make it by brood::share");
}

void throw_wrong_share() {
  throw ShipError(
      "cannot decode a shared value: its memory did not come along, is not sealed, or has "
      "another size");
}

}  // namespace brood::detail

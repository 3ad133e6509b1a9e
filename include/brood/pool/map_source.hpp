// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <brood/pool/here_map.hpp>
#include <brood/pool/map_items.hpp>
#include <brood/pool/typed_map.hpp>
#include <brood/pool/work.hpp>

namespace brood::detail {

// Where the items of a map come from, and whether they may be left there.
enum class Lending {
  borrow,  // the caller waits for the map, so its array stays
  copy,
};

template <typename Range, typename Item>
inline constexpr bool is_array_of =
    std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
    std::is_same_v<std::ranges::range_value_t<Range>, Item>;

// The value that travels of one element: moved out of an rvalue range.
template <typename Item, typename Range, typename Reference>
Item item_of(Reference&& element) {
  if constexpr (!std::is_lvalue_reference_v<Range> &&
                !std::ranges::view<std::remove_cvref_t<Range>> &&
                std::is_constructible_v<Item, std::remove_cvref_t<Reference>&&>) {
    return Item(std::move(element));
  } else if constexpr (std::is_constructible_v<Item, Reference>) {
    return Item(std::forward<Reference>(element));
  } else {
    return Item(wire::to_transport(std::forward<Reference>(element)));
  }
}

// Whether items of that range are encoded when a worker is given them: where whoever encodes
// them then need not be the caller, and may as well read them where they are.
template <typename Item, typename Range>
inline constexpr bool may_encode_late = is_array_of<Range, Item> && wire::is_copied_in_runs<Item>;

template <typename Item, Unpack unpack>
class LateArray final : public LateItems {
 public:
  explicit LateArray(std::span<const Item> borrowed) noexcept : items_(borrowed) {}
  explicit LateArray(std::vector<Item>&& owned) noexcept
      : owned_(std::move(owned)), items_(owned_) {}

  std::size_t bytes_of(std::size_t item) const noexcept override {
    return wire::bytes_in_runs(items_[item]);
  }
  void encode(std::size_t item, wire::Writer& out) const override {
    encode_item<Item, unpack>(out, items_[item]);
  }

 private:
  std::vector<Item> owned_;
  std::span<const Item> items_;
};

// False where they have to be encoded now.
template <typename Item, Unpack unpack, typename Range>
bool keep_items(MapJob& job, Range&& range, Lending lending) {
  if constexpr (may_encode_late<Item, Range>) {
    using Late = LateArray<Item, unpack>;
    const std::size_t count = std::ranges::size(range);
    if (lending == Lending::borrow) {
      job.keep_items(std::make_unique<Late>(std::span(std::ranges::data(range), count)), count);
      return true;
    }
    if constexpr (std::is_same_v<Range, std::vector<Item>>) {  // given away
      job.keep_items(std::make_unique<Late>(std::move(range)), count);
      return true;
    }
  }
  return false;
}

template <typename Item, Unpack unpack, typename Range>
void encode_items(MapJob& job, Range&& range, Lending lending) {
  wire::Buffer bytes;
  wire::Kept kept;
  bytes.keep_in(&kept);
  if constexpr (has_flat_items<Item, unpack>) {
    if constexpr (is_array_of<Range, Item>) {
      const auto* const begin = reinterpret_cast<const std::byte*>(std::ranges::data(range));
      const std::size_t count = std::ranges::size(range);
      if (lending == Lending::borrow) return job.borrow_items({begin, sizeof(Item)}, count);
      bytes.write(begin, count * sizeof(Item));
      return job.own_flat_items(std::move(bytes), sizeof(Item), count);
    } else {
      std::size_t count = 0;
      for (auto&& element : range) {
        wire::encode<Item>(bytes, static_cast<Item>(element));
        ++count;
      }
      return job.own_flat_items(std::move(bytes), sizeof(Item), count);
    }
  } else {
    if (keep_items<Item, unpack>(job, std::forward<Range>(range), lending)) return;
    std::vector<std::size_t> offsets;
    for (auto&& element : range) {
      bytes.align(16);
      offsets.push_back(bytes.size());
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(element)>, Item>) {
        encode_item<Item, unpack>(bytes, element);
      } else {
        const Item item = item_of<Item, Range>(std::forward<decltype(element)>(element));
        encode_item<Item, unpack>(bytes, item);
      }
    }
    bytes.align(16);
    offsets.push_back(bytes.size());
    job.own_items(std::move(bytes), std::move(offsets));
    job.hold(std::move(kept));
  }
}

// Throws: ShipError where this pool's workers can't be given f.
template <typename F>
void require_shippable(const Core& core, const F& f) {
  if (core.runs_here()) return;
  if constexpr (wire::is_local_v<F>) {
    wire::detail::throw_local();
  } else {
    wire::encode_callable<F>(scratch(), f);
  }
}

// The items as they are handed to threads: copies of the caller's, who may go
// away while a thread that was left behind is still at one.
template <typename Item, typename Range>
std::vector<Item> collect_items(Range&& range) {
  if constexpr (is_array_of<Range, Item> && std::is_trivially_copyable_v<Item>) {
    return {std::ranges::data(range), std::ranges::data(range) + std::ranges::size(range)};
  } else {
    std::vector<Item> items;
    if constexpr (std::ranges::sized_range<Range>) {
      items.reserve(static_cast<std::size_t>(std::ranges::size(range)));
    }
    for (auto&& element : range) {
      if constexpr (std::is_lvalue_reference_v<Range> && !std::is_copy_constructible_v<Item>) {
        // The caller keeps his; a copy can be had through bytes.
        wire::Buffer& bytes = scratch();
        wire::encode<Item>(bytes, element);
        wire::Reader in({bytes.data(), bytes.size()});
        items.push_back(wire::decode<Item>(in));
      } else {
        items.push_back(item_of<Item, Range>(std::forward<decltype(element)>(element)));
      }
    }
    return items;
  }
}

// Makes the job of a map, for whatever kind of pool.
// Throws: ShipError when a capture can't travel, and what the range throws.
template <typename Item, Unpack unpack, Errors errors, typename F, typename Range>
auto make_map(Core& core, F&& f, Range&& range, Lending lending) {
  using Callable = std::decay_t<F>;
  using Result = item_result_t<Callable, Item, unpack>;
  using Map = TypedMap<Result, errors>;
  JobRef<Map> job;
  if (core.runs_here()) {
    using Here = HereMap<Callable, Item, unpack, errors>;
    if constexpr (is_array_of<Range, Item>) {
      const std::span<const Item> items(std::ranges::data(range), std::ranges::size(range));
      if (lending == Lending::borrow && Here::may_borrow(items.size())) {
        job = JobRef<Map>::adopt(new Here(core, std::forward<F>(f), items));
      }
    }
    if (!job) {
      auto items = collect_items<Item>(std::forward<Range>(range));
      job = JobRef<Map>::adopt(new Here(core, std::forward<F>(f), std::move(items)));
    }
  } else if constexpr (wire::is_local_v<F>) {
    wire::detail::throw_local();
  } else {
    job = JobRef<Map>::adopt(new Map(core));
    wire::Buffer& callable = scratch();
    wire::Kept kept;
    callable.keep_in(&kept);
    wire::encode_callable<Callable>(callable, f);
    job->set_callable(map_code<Callable, Item, unpack>, callable.view());
    job->hold(std::move(kept));
    encode_items<Item, unpack>(*job, std::forward<Range>(range), lending);
  }
  job->prepare_results();
  return job;
}

}  // namespace brood::detail

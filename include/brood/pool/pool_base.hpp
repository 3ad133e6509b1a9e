// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brood/pool/async_result.hpp>
#include <brood/pool/core.hpp>
#include <brood/pool/map_source.hpp>
#include <brood/pool/options.hpp>
#include <brood/pool/refusals.hpp>
#include <brood/pool/typed_call.hpp>
#include <brood/pool/typed_map.hpp>

namespace brood::detail {

// Options that a caller got wrong, named.
BROOD_EXPORT std::size_t require_chunk_size(Count chunk_size);
BROOD_EXPORT std::int64_t require_retries(Count retries);
[[noreturn]] BROOD_EXPORT void throw_moved_pool();
[[noreturn]] BROOD_EXPORT void throw_closed();
[[noreturn]] BROOD_EXPORT void throw_collect_in_map();
[[noreturn]] BROOD_EXPORT void throw_callback_of_outcomes();
[[noreturn]] BROOD_EXPORT void throw_callback_of_imap();
// Waits to the end. Whatever happens, the job is settled afterwards, so that
// what it borrows may go. Draws a bar where that was asked for.
BROOD_EXPORT void wait_to_the_end(MapJob& job, bool draws_progress);

// The element of a range, as it travels.
template <typename Range>
using item_t = wire::transport_t<std::ranges::range_value_t<Range>>;

// Likewise the tuple of arguments, for starmap.
template <typename Element>
struct Unpacked {
  using type = Element;
};
template <typename... Elements>
struct Unpacked<std::tuple<Elements...>> {
  using type = std::tuple<wire::transport_t<Elements>...>;
};
template <typename First, typename Second>
struct Unpacked<std::pair<First, Second>> {
  using type = std::tuple<wire::transport_t<First>, wire::transport_t<Second>>;
};
template <typename Range>
using star_item_t = typename Unpacked<std::ranges::range_value_t<Range>>::type;

template <typename F>
concept Known = wire::has_known_signature_v<F>;

// Stands where there's no type. Some compilers look at a parameter's type before
// they look at what the overload requires, so there must be one.
struct NoList {
  NoList() = delete;
  NoList(const NoList&) = delete;
};

// What a braced list is a list of, when the callable says what it takes: its first
// parameter, or for starmap all of them.
template <typename List>
struct Listed {
  using item = NoList;
  using tuple = std::tuple<>;
};
template <typename First, typename... Rest>
struct Listed<wire::TypeList<First, Rest...>> {
  using item = wire::transport_t<First>;
  using tuple = std::tuple<item, wire::transport_t<Rest>...>;
};
template <typename F>
using listed_t = typename Listed<typename wire::signature_of<F>::parameters>::item;
template <typename F>
using star_listed_t =
    std::conditional_t<Known<F>, typename Listed<typename wire::signature_of<F>::parameters>::tuple,
                       NoList>;

template <typename F, typename... Args>
using ApplyOptionsFor = std::type_identity_t<ApplyOptions<wire::call_result_t<F, Args...>>>;

// Of a call that has none: nothing is made for them, nor looked at.
struct NoOptions {};

// All that must hold before a call; each in its own sentence.
template <typename F, typename... Args>
consteval bool require_apply() {
  if constexpr (!require_function<F>()) {
    return false;
  } else if constexpr (wire::is_local_v<F>) {
    return wire::require_callable<F, Args...>();
  } else {
    return wire::require_call<F, Args...>();
  }
}

template <typename F, typename Item, Unpack unpack>
struct MapOptionsOf {
  using type = MapOptions<item_result_t<std::decay_t<F>, Item, unpack>>;
};
template <typename F, Unpack unpack>
struct MapOptionsOf<F, NoList, unpack> {
  using type = NoList;
};
// Not deduced, so that `{.chunksize = 64}` will do.
template <typename F, typename Item, Unpack unpack>
using MapOptionsFor = typename MapOptionsOf<F, Item, unpack>::type;

template <typename Element>
inline constexpr bool is_tuple_like = false;
template <typename... Elements>
inline constexpr bool is_tuple_like<std::tuple<Elements...>> = true;
template <typename First, typename Second>
inline constexpr bool is_tuple_like<std::pair<First, Second>> = true;

// The same of a map's calls.
template <typename F, typename Item, Unpack unpack>
struct RequireItem {
  static consteval bool check() { return require_apply<F, Item>(); }
};
template <typename F, typename... Elements>
struct RequireItem<F, std::tuple<Elements...>, Unpack::yes> {
  static consteval bool check() { return require_apply<F, Elements...>(); }
};
template <typename F, typename Item>
  requires(!is_tuple_like<Item>)
struct RequireItem<F, Item, Unpack::yes> {
  static consteval bool check() {
    static_assert(is_tuple_like<Item>,
                  "brood: starmap unpacks each element into arguments, so the elements must be "
                  "std::tuple or std::pair; for single arguments use map");
    return false;
  }
};

// What a map borrows stays until this goes.
template <typename Map>
struct Loan {
  Map& map;
  ~Loan() { map.end_loan(); }
};

// Holds the engine, and turns typed requests into submitted jobs.
class PoolBase {
 public:
  PoolBase(const PoolBase&) = delete;
  PoolBase& operator=(const PoolBase&) = delete;

 protected:
  explicit PoolBase(Core* core) noexcept : core_(core) {}
  PoolBase(PoolBase&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  ~PoolBase() {
    if (core_) core_->release();
  }

  Core& core() const {
    if (!core_) throw_moved_pool();
    return *core_;
  }
  Core* core_or_null() const noexcept { return core_; }
  void swap(PoolBase& other) noexcept { std::swap(core_, other.core_); }

  // How a job sets out: Core::submit, or Core::run, which sees it to its end.
  using Send = void (Core::*)(const JobRef<Job>&);
  void submit(const JobRef<Job>& job, Send how = &Core::submit) {
    if (core().is_closed_to_callers()) throw_closed();
    (core().*how)(job);
  }

  template <typename Options>
  static void set_limits(Job& job, const Options& options) {
    const std::int64_t retries = require_retries(options.retries);
    if (options.timeout.is_forever() && retries == 0) return;
    job.extras().timeout = options.timeout;
    job.extras().retries = retries;
  }

  // Options: ApplyOptions<Result>, or NoOptions.
  template <typename Options, typename F, typename... Args>
  auto start_call(Send how, const Options& options, F&& f, Args&&... args) {
    using Result = wire::call_result_t<F, Args...>;
    if constexpr (!require_apply<F, Args...>()) {
      return AsyncResult<wire::NoResult>();
    } else {
      auto [job, value] = make_call(core(), std::forward<F>(f), std::forward<Args>(args)...);
      if constexpr (!std::is_same_v<Options, NoOptions>) {
        set_limits(*job, options);
        set_callbacks<Result>(*job, options.callback, options.error_callback);
      }
      submit(job, how);
      return AsyncResult<Result>(std::move(job), *value);
    }
  }

  template <typename Options, typename F, typename... Args>
  auto run_call(const Options& options, F&& f, Args&&... args) {
    auto result = start_call(&Core::run, options, std::forward<F>(f), std::forward<Args>(args)...);
    return std::move(result).get();
  }

  template <typename Item, Unpack unpack, Errors errors, typename F, typename Range>
  auto start_map(const MapOptions<item_result_t<std::decay_t<F>, Item, unpack>>& options, F&& f,
                 Range&& range, Lending lending = Lending::copy) {
    using Value = map_value_t<item_result_t<std::decay_t<F>, Item, unpack>, errors>;
    if constexpr (!RequireItem<std::decay_t<F>, Item, unpack>::check()) {
      return AsyncResult<wire::NoResult>();
    } else {
      const std::size_t chunk_size = require_chunk_size(options.chunksize);
      if (errors == Errors::raise && options.errors == Errors::collect) throw_collect_in_map();
      auto job = make_map<Item, unpack, errors>(core(), std::forward<F>(f),
                                                std::forward<Range>(range), lending);
      set_limits(*job, options);
      job->chunk_size = chunk_size;
      if constexpr (errors == Errors::raise) {
        set_callbacks<Value>(*job, options.callback, options.error_callback);
      } else if (options.callback || options.error_callback) {
        throw_callback_of_outcomes();
      }
      submit(job);
      ValueJob<Value>& value = *job;
      return AsyncResult<Value>(std::move(job), value);
    }
  }

  template <typename Item, Unpack unpack, Errors errors, typename F, typename Range>
  auto run_map(const MapOptions<item_result_t<std::decay_t<F>, Item, unpack>>& options, F&& f,
               Range&& range) {
    if constexpr (!RequireItem<std::decay_t<F>, Item, unpack>::check()) {
      return NoResults();
    } else {
      auto result = start_map<Item, unpack, errors>(options, std::forward<F>(f),
                                                    std::forward<Range>(range), Lending::borrow);
      using Result = item_result_t<std::decay_t<F>, Item, unpack>;
      using Map = TypedMap<Result, errors>;
      const Loan<Map> loan{static_cast<Map&>(result.job())};
      wait_to_the_end(*result.job().as_map(), options.progress);
      return std::move(result).get();
    }
  }

 private:
  Core* core_;
};

}  // namespace brood::detail

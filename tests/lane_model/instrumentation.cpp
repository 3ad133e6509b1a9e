// SPDX-License-Identifier: MIT
//
// What ThreadSanitizer's instrumentation calls in the files under test: they are
// compiled with -fsanitize=thread and linked with this in place of its runtime,
// so each atomic operation of theirs on shared memory is a step of the explorer, and
// each access to plain shared memory is checked. Their source is untouched.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "explorer.hpp"
#include "races.hpp"
#include "shared_memory.hpp"
#include "words.hpp"

extern "C" void* __real_memcpy(void* to, const void* from, std::size_t size);

namespace brood::model {
namespace {

bool is_shared(const volatile void* at) {
  const void* const plain = const_cast<const void*>(at);
  return explorer().inside() && (shared_memory().holds(plain) || is_shared_word(plain));
}

void will_change(const void* at, std::size_t size) {
  if (shared_memory().holds(at)) shared_memory().touch(at, size);
}

template <typename T>
T load(const volatile T* at, int order) {
  if (!is_shared(at)) return __atomic_load_n(at, __ATOMIC_SEQ_CST);
  const void* const word = const_cast<const T*>(at);
  explorer().step({"is about to load", word});
  const T value = __atomic_load_n(at, __ATOMIC_SEQ_CST);
  races().loaded(word, static_cast<std::memory_order>(order));
  explorer().learn(value);
  explorer().remark({"loads", word, value});
  return value;
}

template <typename T>
void store(volatile T* at, T value, int order) {
  if (!is_shared(at)) return __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
  void* const word = const_cast<T*>(at);
  explorer().step({"is about to store", word});
  will_change(word, sizeof value);
  races().stored(word, static_cast<std::memory_order>(order));
  __atomic_store_n(at, value, __ATOMIC_SEQ_CST);
  explorer().remark({"stores", word, value});
}

template <typename T, typename Change>
T exchange(volatile T* at, int order, Change change) {
  void* const word = const_cast<T*>(at);
  const bool shared = is_shared(at);
  if (shared) explorer().step({"is about to exchange", word});
  const T before = __atomic_load_n(at, __ATOMIC_SEQ_CST);
  const T after = change(before);
  if (shared) {
    will_change(word, sizeof after);
    races().exchanged(word, static_cast<std::memory_order>(order));
    note_move(word, after);
    explorer().learn(before);
    explorer().remark({"exchanges for", word, after});
  }
  __atomic_store_n(at, after, __ATOMIC_SEQ_CST);
  return before;
}

// Both kinds are strong here: the processor's never fails for no reason.
template <typename T>
int compare_exchange(volatile T* at, T* expected, T desired, int order, int failure_order) {
  void* const word = const_cast<T*>(at);
  const bool shared = is_shared(at);
  if (shared) explorer().step({"is about to compare and exchange", word});
  const T before = __atomic_load_n(at, __ATOMIC_SEQ_CST);
  const bool wins = before == *expected;
  if (shared) {
    if (wins) {
      will_change(word, sizeof desired);
      races().exchanged(word, static_cast<std::memory_order>(order));
      note_move(word, desired);
    } else {
      races().loaded(word, static_cast<std::memory_order>(failure_order));
    }
    explorer().learn(before);
    explorer().remark(wins ? Step{"exchanges for", word, desired}
                           : Step{"fails to exchange", word, before});
  }
  if (wins) {
    __atomic_store_n(at, desired, __ATOMIC_SEQ_CST);
  } else {
    *expected = before;
  }
  return wins;
}

// Not std::memcpy: that is watched.
std::uint64_t first_word(const void* at, std::size_t size) noexcept {
  std::uint64_t value = 0;
  __real_memcpy(&value, at, std::min(size, sizeof value));
  return value;
}

void check_read(const void* at, std::size_t size) {
  if (!explorer().inside() || !shared_memory().holds(at)) return;
  if (races().read(at, size)) explorer().fail("a race: plain memory is read while it's written");
  explorer().learn(first_word(at, size));
}

void check_write(const void* at, std::size_t size) {
  if (!explorer().inside() || !shared_memory().holds(at)) return;
  shared_memory().touch(at, size);
  if (races().written(at, size)) explorer().fail("a race: plain memory is written while in use");
}

}  // namespace
}  // namespace brood::model

using namespace brood::model;

#define BROOD_MODEL_ATOMICS(bits)                                                                  \
  using Word##bits = std::uint##bits##_t;                                                          \
  Word##bits __tsan_atomic##bits##_load(const volatile Word##bits* at, int order) {                \
    return load(at, order);                                                                        \
  }                                                                                                \
  void __tsan_atomic##bits##_store(volatile Word##bits* at, Word##bits value, int order) {         \
    store(at, value, order);                                                                       \
  }                                                                                                \
  Word##bits __tsan_atomic##bits##_exchange(volatile Word##bits* at, Word##bits value,             \
                                            int order) {                                           \
    return exchange(at, order, [value](Word##bits) { return value; });                             \
  }                                                                                                \
  Word##bits __tsan_atomic##bits##_fetch_add(volatile Word##bits* at, Word##bits value,            \
                                             int order) {                                          \
    return exchange(at, order,                                                                     \
                    [value](Word##bits old) { return static_cast<Word##bits>(old + value); });     \
  }                                                                                                \
  Word##bits __tsan_atomic##bits##_fetch_sub(volatile Word##bits* at, Word##bits value,            \
                                             int order) {                                          \
    return exchange(at, order,                                                                     \
                    [value](Word##bits old) { return static_cast<Word##bits>(old - value); });     \
  }                                                                                                \
  Word##bits __tsan_atomic##bits##_fetch_or(volatile Word##bits* at, Word##bits value,             \
                                            int order) {                                           \
    return exchange(at, order,                                                                     \
                    [value](Word##bits old) { return static_cast<Word##bits>(old | value); });     \
  }                                                                                                \
  Word##bits __tsan_atomic##bits##_fetch_and(volatile Word##bits* at, Word##bits value,            \
                                             int order) {                                          \
    return exchange(at, order,                                                                     \
                    [value](Word##bits old) { return static_cast<Word##bits>(old & value); });     \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile Word##bits* at, Word##bits* expected,   \
                                                  Word##bits desired, int order, int failure) {    \
    return compare_exchange(at, expected, desired, order, failure);                                \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile Word##bits* at, Word##bits* expected, \
                                                    Word##bits desired, int order, int failure) {  \
    return compare_exchange(at, expected, desired, order, failure);                                \
  }                                                                                                \
  Word##bits __tsan_atomic##bits##_compare_exchange_val(                                           \
      volatile Word##bits* at, Word##bits expected, Word##bits desired, int order, int failure) {  \
    compare_exchange(at, &expected, desired, order, failure);                                      \
    return expected;                                                                               \
  }

#define BROOD_MODEL_ACCESS(bytes)                                              \
  void __tsan_read##bytes(void* at) { check_read(at, bytes); }                 \
  void __tsan_write##bytes(void* at) { check_write(at, bytes); }               \
  void __tsan_unaligned_read##bytes(const void* at) { check_read(at, bytes); } \
  void __tsan_unaligned_write##bytes(void* at) { check_write(at, bytes); }     \
  void __tsan_volatile_read##bytes(void* at) { check_read(at, bytes); }        \
  void __tsan_volatile_write##bytes(void* at) { check_write(at, bytes); }

extern "C" {

void* __wrap_memcpy(void* to, const void* from, std::size_t size);
void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
  if (size != 0) {
    check_read(from, size);
    check_write(to, size);
  }
  return __real_memcpy(to, from, size);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-declarations"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"
#endif
BROOD_MODEL_ATOMICS(8)
BROOD_MODEL_ATOMICS(32)
BROOD_MODEL_ATOMICS(64)
BROOD_MODEL_ACCESS(1)
BROOD_MODEL_ACCESS(2)
BROOD_MODEL_ACCESS(4)
BROOD_MODEL_ACCESS(8)
BROOD_MODEL_ACCESS(16)
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* at, std::size_t size) { check_read(at, size); }
void __tsan_write_range(void* at, std::size_t size) { check_write(at, size); }
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}
void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  return __wrap_memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, std::size_t size) {
  if (size != 0) check_write(to, size);
  return std::memset(to, value, size);
}
#pragma GCC diagnostic pop
}

// SPDX-License-Identifier: MIT
#include "os/thread_end.hpp"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <new>

namespace brood::os {
namespace {

extern "C" void brood_run_thread_ends(void* last) {
  for (auto* end = static_cast<ThreadEnd*>(last); end;) {
    ThreadEnd* const next = std::exchange(end->next, nullptr);
    end->is_due = false;
    end->run(*end);
    end = next;
  }
}

// The library that this is in, if it's in one, is not unloaded: threads will call it.
void stay_loaded() noexcept {
  Dl_info info{};
  void* found = nullptr;
  if (::dladdr1(reinterpret_cast<void*>(brood_run_thread_ends), &info, &found, RTLD_DL_LINKMAP) ==
      0) {
    return;
  }
  const char* const name = static_cast<const struct link_map*>(found)->l_name;
  if (*name != '\0') ::dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

// One for all of brood. The values of a program's first keys are in the thread itself.
pthread_key_t key() {
  static const pthread_key_t made = [] {
    pthread_key_t fresh{};
    if (::pthread_key_create(&fresh, brood_run_thread_ends) != 0) throw std::bad_alloc();
    stay_loaded();
    return fresh;
  }();
  return made;
}

// Before there are threads: a fork could come while one of them makes it.
[[maybe_unused]] const bool is_made_early = [] {
  try {
    key();
  } catch (const std::bad_alloc&) {
    return false;  // who needs it tries again
  }
  return true;
}();

}  // namespace

void at_thread_end(ThreadEnd& end) {
  if (end.is_due) return;
  void* const last = ::pthread_getspecific(key());
  if (::pthread_setspecific(key(), &end) != 0) throw std::bad_alloc();
  end.next = static_cast<ThreadEnd*>(last);
  end.is_due = true;
}

}  // namespace brood::os

// SPDX-License-Identifier: MIT
#include "thread/excepthook.hpp"

#include <brood/thread/excepthook.hpp>

#include <cstdio>
#include <string>
#include <utility>

#include <brood/base/error.hpp>
#include "thread/registry.hpp"
#include "wire/exception_text.hpp"

namespace brood {
namespace detail {
namespace {

// Through stderr and not std::cerr, which would flush std::cout, whose buffer
// another thread may be filling. One call is one write: stderr has no buffer.
void print(const std::string& line) { std::fwrite(line.data(), 1, line.size(), stderr); }

void print_uncaught(const char* where, const std::exception_ptr& error) {
  print(std::string("Exception in ") + where + ' ' + current_thread().name() + ": " +
        wire::describe_exception(error) + '\n');
}

void hand_over(const std::exception_ptr& error) {
  const auto hook = ThreadRegistry::instance().hook();
  if (hook) {
    (*hook)(current_thread(), error);
  } else {
    print_uncaught("thread", error);
  }
}

}  // namespace

void report_uncaught(const std::exception_ptr& error) {
  const std::exception_ptr worse = error_of([&error] { hand_over(error); });
  if (!worse) return;
  // Fails only where there is no memory for the line that would say so.
  static_cast<void>(error_of([&worse] { print_uncaught("the excepthook of thread", worse); }));
}

}  // namespace detail

void set_excepthook(std::function<void(const ThreadInfo&, std::exception_ptr)> hook) {
  detail::ThreadRegistry::instance().set_hook(std::move(hook));
}

}  // namespace brood

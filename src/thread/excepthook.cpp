// SPDX-License-Identifier: MIT
#include "thread/excepthook.hpp"

#include <brood/thread/excepthook.hpp>

#include <cxxabi.h>

#include <cstdio>
#include <string>
#include <typeinfo>
#include <utility>

#include <brood/base/error.hpp>
#include <brood/wire/type_name.hpp>
#include "thread/registry.hpp"

namespace brood {
namespace detail {
namespace {

// `TYPE: what()`, and only `TYPE` of what cannot say more.
std::string description(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const RemoteError& remote) {
    return remote.type_name() + ": " + remote.what();
  } catch (const std::exception& thrown) {
    return wire::type_name(typeid(thrown)) + ": " + thrown.what();
  } catch (const std::string& text) {
    return "std::string: " + text;
  } catch (const char* text) {
    return std::string("const char*: ") + text;
  } catch (...) {
    return wire::type_name(*abi::__cxa_current_exception_type());
  }
}

// Through stderr and not std::cerr, which would flush std::cout, whose buffer
// another thread may be filling. One call is one write: stderr has no buffer.
void print(const std::string& line) { std::fwrite(line.data(), 1, line.size(), stderr); }

void print_uncaught(const char* where, const std::exception_ptr& error) {
  print(std::string("Exception in ") + where + ' ' + current_thread().name() + ": " +
        description(error) + '\n');
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

// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>

namespace brood::wire {

// What a worker told of an exception.
struct RemoteFacts {
  std::string type_name;
  std::string what;
  int worker_pid = 0;
};

// An exception of type Base that was thrown in a worker.
template <typename Base>
class Remote final : public Base, public RemoteError {
 public:
  template <typename... Arguments>
  explicit Remote(RemoteFacts facts, Arguments&&... arguments)
      : Base(std::forward<Arguments>(arguments)...), facts_(std::move(facts)) {}

  const char* what() const noexcept override { return facts_.what.c_str(); }
  const std::string& type_name() const noexcept override { return facts_.type_name; }
  int worker_pid() const noexcept override { return facts_.worker_pid; }
  const std::vector<std::string>& backtrace() const noexcept override { return backtrace_; }

 private:
  RemoteFacts facts_;
  std::vector<std::string> backtrace_;
};

}  // namespace brood::wire

// SPDX-License-Identifier: MIT
#include <brood/process/process.hpp>

#include <ostream>
#include <utility>

#include <brood/base/error.hpp>

#include "process/process_record.hpp"

namespace brood {
namespace {

detail::ProcessRecord& require(const std::shared_ptr<detail::ProcessRecord>& record) {
  if (record) return *record;
  throw ValueError("cannot use this Process: it was moved from; use the one that it was moved to");
}

}  // namespace

Process::Process(Process&& other) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  give_up();
  record_ = std::move(other.record_);
  return *this;
}

Process::~Process() { give_up(); }

void Process::give_up() noexcept {
  if (!record_) return;
  try {
    if (record_->must_be_joined()) record_->join(Deadline());
  } catch (const Error&) {
    // The kernel refuses to wait: there's nobody to tell.
  }
  record_.reset();
}

void Process::start() { require(record_).start(); }
bool Process::join(Timeout timeout) { return require(record_).join(Deadline(timeout)); }
bool Process::is_alive() const { return require(record_).is_alive(); }
int Process::pid() const { return require(record_).pid(); }
std::string Process::name() const { return require(record_).name(); }
bool Process::daemon() const { return require(record_).daemon(); }
std::optional<int> Process::exitcode() const { return require(record_).exitcode(); }
void Process::terminate() { require(record_).send(os::terminate_signal); }
void Process::kill() { require(record_).send(os::kill_signal); }
void Process::close() { require(record_).close(); }
int Process::sentinel() const { return require(record_).sentinel(); }

std::ostream& operator<<(std::ostream& out, const Process& process) {
  if (!process.record_) return out << "<Process(moved from)>";
  return out << process.record_->text();
}

}  // namespace brood

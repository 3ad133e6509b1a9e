// SPDX-License-Identifier: MIT
#include <brood/thread/thread.hpp>

#include <ostream>
#include <utility>

#include <brood/base/error.hpp>
#include "thread/registry.hpp"
#include "thread/thread_record.hpp"

namespace brood {
namespace detail {

ThreadTarget::~ThreadTarget() = default;

std::shared_ptr<ThreadRecord> make_thread_record(ThreadOptions options,
                                                 std::unique_ptr<ThreadTarget> target) {
  if (options.name.empty()) options.name = ThreadRegistry::instance().next_name();
  return std::make_shared<ThreadRecord>(std::move(options.name), options.daemon, std::move(target));
}

}  // namespace detail

namespace {

detail::ThreadRecord& held(const std::shared_ptr<detail::ThreadRecord>& record, const char* verb) {
  if (!record) {
    throw ValueError(std::string("cannot ") + verb +
                     " a thread: this Thread was moved from; use the one that it was moved to");
  }
  return *record;
}

}  // namespace

Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    give_up();
    record_ = std::move(other.record_);
  }
  return *this;
}

Thread::~Thread() { give_up(); }

void Thread::give_up() noexcept {
  if (record_) record_->abandon();
}

void Thread::start() { held(record_, "start").start(); }

bool Thread::join(Timeout timeout) { return held(record_, "join").join(Deadline{timeout}); }

bool Thread::is_alive() const noexcept { return record_ && record_->is_alive(); }

ThreadState Thread::state() const { return record_ ? record_->state() : ThreadState::dead; }

std::string Thread::name() const { return record_ ? record_->name() : std::string(); }

void Thread::set_name(std::string name) { held(record_, "name").set_name(std::move(name)); }

bool Thread::daemon() const noexcept { return record_ && record_->daemon(); }

int Thread::native_id() const noexcept { return record_ ? record_->native_id() : 0; }

std::uintptr_t Thread::ident() const noexcept { return record_ ? record_->ident() : 0; }

std::ostream& operator<<(std::ostream& out, const Thread& thread) {
  return out << ThreadInfo{.name = thread.name(),
                           .ident = thread.ident(),
                           .native_id = thread.native_id(),
                           .daemon = thread.daemon(),
                           .state = thread.state()};
}

}  // namespace brood

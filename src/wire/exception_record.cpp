// SPDX-License-Identifier: MIT
#include <brood/wire/exception_record.hpp>

#include <cxxabi.h>
#include <any>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <variant>

#include <brood/base/error.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/type_name.hpp>

#include "base/known_trace.hpp"
#include "wire/exception_form.hpp"
#include "wire/exception_text.hpp"
#include "wire/remote.hpp"

namespace brood::wire {
namespace {

template <typename Type>
bool is(const std::exception& thrown) {
  return dynamic_cast<const Type*>(&thrown) != nullptr;
}

void note_code(ExceptionForm& record, const std::error_code& code) {
  record.numbers[0] = code.value();
  record.texts[0] = code.category().name();
}

// brood's own types, as a nested pool in a task throws them.
bool describe_own(const std::exception& thrown, ExceptionForm& record) {
  if (const auto* const crash = dynamic_cast<const WorkerCrashed*>(&thrown)) {
    record.kind = is<MemoryLimitExceeded>(thrown) ? ExceptionKind::memory_limit
                                                  : ExceptionKind::worker_crashed;
    record.report = crash->report();
    record.task_name = crash->task_name();
    record.backtrace = crash->backtrace();
    if (const auto* const limit = dynamic_cast<const MemoryLimitExceeded*>(&thrown)) {
      record.numbers[0] = static_cast<std::int64_t>(limit->limit());
      record.numbers[1] = static_cast<std::int64_t>(limit->peak());
    }
    return true;
  }
  if (const auto* const late = dynamic_cast<const TaskTimeout*>(&thrown)) {
    record.kind = ExceptionKind::task_timeout;
    record.report.index = late->index();
    record.task_name = late->task_name();
    record.backtrace = late->backtrace();
    return true;
  }
  if (const auto* const refusal = dynamic_cast<const SystemError*>(&thrown)) {
    record.kind = ExceptionKind::brood_system_error;
    record.numbers[0] = refusal->code();
    return true;
  }
  if (is<ValueError>(thrown))
    record.kind = ExceptionKind::value_error;
  else if (is<TimeoutError>(thrown))
    record.kind = ExceptionKind::timeout_error;
  else if (is<CancelledError>(thrown))
    record.kind = ExceptionKind::cancelled_error;
  else if (is<ShipError>(thrown))
    record.kind = ExceptionKind::ship_error;
  else if (is<ContextError>(thrown))
    record.kind = ExceptionKind::context_error;
  else if (is<BrokenPool>(thrown))
    record.kind = ExceptionKind::broken_pool;
  else
    return false;
  return true;
}

bool describe_coded(const std::exception& thrown, ExceptionForm& record) {
  if (const auto* const file = dynamic_cast<const std::filesystem::filesystem_error*>(&thrown)) {
    record.kind = ExceptionKind::filesystem_error;
    note_code(record, file->code());
    record.texts[0] = file->path1().string();
    record.texts[1] = file->path2().string();
    record.numbers[1] = file->code().category() == std::generic_category() ? 1 : 0;
  } else if (const auto* const stream = dynamic_cast<const std::ios_base::failure*>(&thrown)) {
    record.kind = ExceptionKind::ios_failure;
    note_code(record, stream->code());
  } else if (const auto* const system = dynamic_cast<const std::system_error*>(&thrown)) {
    record.kind = ExceptionKind::system_error;
    note_code(record, system->code());
  } else if (const auto* const future = dynamic_cast<const std::future_error*>(&thrown)) {
    record.kind = ExceptionKind::future_error;
    note_code(record, future->code());
  } else if (const auto* const regex = dynamic_cast<const std::regex_error*>(&thrown)) {
    record.kind = ExceptionKind::regex_error;
    record.numbers[0] = static_cast<std::int64_t>(regex->code());
  } else {
    return false;
  }
  return true;
}

ExceptionKind plain_kind(const std::exception& thrown) {
  if (is<std::invalid_argument>(thrown)) return ExceptionKind::invalid_argument;
  if (is<std::domain_error>(thrown)) return ExceptionKind::domain_error;
  if (is<std::length_error>(thrown)) return ExceptionKind::length_error;
  if (is<std::out_of_range>(thrown)) return ExceptionKind::out_of_range;
  if (is<std::logic_error>(thrown)) return ExceptionKind::logic_error;
  if (is<std::range_error>(thrown)) return ExceptionKind::range_error;
  if (is<std::overflow_error>(thrown)) return ExceptionKind::overflow_error;
  if (is<std::underflow_error>(thrown)) return ExceptionKind::underflow_error;
  if (is<std::runtime_error>(thrown)) return ExceptionKind::runtime_error;
  if (is<std::bad_array_new_length>(thrown)) return ExceptionKind::bad_array_new_length;
  if (is<std::bad_alloc>(thrown)) return ExceptionKind::bad_alloc;
  if (is<std::bad_any_cast>(thrown)) return ExceptionKind::bad_any_cast;
  if (is<std::bad_cast>(thrown)) return ExceptionKind::bad_cast;
  if (is<std::bad_typeid>(thrown)) return ExceptionKind::bad_typeid;
  if (is<std::bad_function_call>(thrown)) return ExceptionKind::bad_function_call;
  if (is<std::bad_weak_ptr>(thrown)) return ExceptionKind::bad_weak_ptr;
  if (is<std::bad_optional_access>(thrown)) return ExceptionKind::bad_optional_access;
  if (is<std::bad_variant_access>(thrown)) return ExceptionKind::bad_variant_access;
  if (is<std::bad_exception>(thrown)) return ExceptionKind::bad_exception;
  return ExceptionKind::exception;
}

// Of an exception that was sent on from a worker's own pool, what was thrown
// there first.
void describe(const std::exception& thrown, ExceptionForm& record) {
  const auto* const remote = dynamic_cast<const RemoteError*>(&thrown);
  record.type_name = remote ? remote->type_name() : wire::type_name(typeid(thrown));
  record.what = text_or_nothing(thrown.what());
  if (!describe_own(thrown, record) && !describe_coded(thrown, record)) {
    record.kind = plain_kind(thrown);
  }
}

ExceptionForm record_of(const std::exception_ptr& thrown) {
  ExceptionForm record;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& standard) {
    describe(standard, record);
  } catch (...) {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    record.type_name = type ? wire::type_name(*type) : "unknown";
    record.what = "a " + record.type_name + " was thrown";
    try {
      throw;
    } catch (const char* text) {
      record.what = text_or_nothing(text);
    } catch (const std::string& text) {
      record.what = text;
    } catch (const int number) {
      record.what = std::to_string(number);
    } catch (...) {
      // Nothing more can be known of it.
    }
  }
  return record;
}

const std::error_category& category_named(std::string_view name) {
  for (const auto* const known : {&std::generic_category(), &std::system_category(),
                                  &std::iostream_category(), &std::future_category()}) {
    if (name == known->name()) return *known;
  }
  // A user's own category can't be found by its name; the value survives.
  return std::generic_category();
}

// A number that is none of the codes may not even be made one.
std::regex_constants::error_type regex_code_of(int value) {
  constexpr int all_codes = 16;
  const bool is_one = value >= 0 && value < all_codes;
  return is_one ? static_cast<std::regex_constants::error_type>(value)
                : std::regex_constants::error_complexity;
}

template <typename Base, typename... Arguments>
std::exception_ptr remote(RemoteFacts facts, Arguments&&... arguments) {
  return std::make_exception_ptr(
      Remote<Base>(std::move(facts), std::forward<Arguments>(arguments)...));
}

std::exception_ptr make_own(const ExceptionForm& record, RemoteFacts facts) {
  const auto number = [&](int i) { return static_cast<int>(record.numbers[i]); };
  const std::string what = record.what;
  const auto trace = [&] { return base::known_trace(what, record.task_name, record.backtrace); };
  switch (record.kind) {
    case ExceptionKind::value_error: return remote<ValueError>(std::move(facts), what);
    case ExceptionKind::task_timeout:
      return remote<TaskTimeout>(std::move(facts), trace(), record.report.index);
    case ExceptionKind::timeout_error: return remote<TimeoutError>(std::move(facts), what);
    case ExceptionKind::cancelled_error: return remote<CancelledError>(std::move(facts), what);
    case ExceptionKind::ship_error: return std::make_exception_ptr(ShipError(what));
    case ExceptionKind::context_error: return remote<ContextError>(std::move(facts), what);
    case ExceptionKind::broken_pool: return remote<BrokenPool>(std::move(facts), what);
    case ExceptionKind::brood_system_error:
      return remote<SystemError>(std::move(facts), number(0), what);
    case ExceptionKind::worker_crashed:
      return remote<WorkerCrashed>(std::move(facts), what, record.report, trace());
    case ExceptionKind::memory_limit:
      return remote<MemoryLimitExceeded>(std::move(facts), what, record.report, trace(),
                                         static_cast<std::size_t>(record.numbers[0]),
                                         static_cast<std::size_t>(record.numbers[1]));
    default: return nullptr;
  }
}

std::exception_ptr make_coded(const ExceptionForm& record, RemoteFacts facts) {
  const int value = static_cast<int>(record.numbers[0]);
  const auto code = [&] { return std::error_code(value, category_named(record.texts[0])); };
  switch (record.kind) {
    case ExceptionKind::filesystem_error: {
      const std::error_code reason(
          value, record.numbers[1] != 0 ? std::generic_category() : std::system_category());
      return remote<std::filesystem::filesystem_error>(std::move(facts), record.what,
                                                       record.texts[0], record.texts[1], reason);
    }
    case ExceptionKind::ios_failure:
      return remote<std::ios_base::failure>(std::move(facts), record.what, code());
    case ExceptionKind::system_error: return remote<std::system_error>(std::move(facts), code());
    case ExceptionKind::future_error:
      return remote<std::future_error>(std::move(facts), static_cast<std::future_errc>(value));
    case ExceptionKind::regex_error:
      return remote<std::regex_error>(std::move(facts), regex_code_of(value));
    default: return nullptr;
  }
}

std::exception_ptr make_plain(const ExceptionForm& record, RemoteFacts facts) {
  const std::string& what = record.what;
  switch (record.kind) {
    case ExceptionKind::invalid_argument:
      return remote<std::invalid_argument>(std::move(facts), what);
    case ExceptionKind::domain_error: return remote<std::domain_error>(std::move(facts), what);
    case ExceptionKind::length_error: return remote<std::length_error>(std::move(facts), what);
    case ExceptionKind::out_of_range: return remote<std::out_of_range>(std::move(facts), what);
    case ExceptionKind::logic_error: return remote<std::logic_error>(std::move(facts), what);
    case ExceptionKind::range_error: return remote<std::range_error>(std::move(facts), what);
    case ExceptionKind::overflow_error: return remote<std::overflow_error>(std::move(facts), what);
    case ExceptionKind::underflow_error:
      return remote<std::underflow_error>(std::move(facts), what);
    case ExceptionKind::runtime_error: return remote<std::runtime_error>(std::move(facts), what);
    case ExceptionKind::bad_array_new_length:
      return remote<std::bad_array_new_length>(std::move(facts));
    case ExceptionKind::bad_alloc: return remote<std::bad_alloc>(std::move(facts));
    case ExceptionKind::bad_any_cast: return remote<std::bad_any_cast>(std::move(facts));
    case ExceptionKind::bad_cast: return remote<std::bad_cast>(std::move(facts));
    case ExceptionKind::bad_typeid: return remote<std::bad_typeid>(std::move(facts));
    case ExceptionKind::bad_function_call: return remote<std::bad_function_call>(std::move(facts));
    case ExceptionKind::bad_weak_ptr: return remote<std::bad_weak_ptr>(std::move(facts));
    case ExceptionKind::bad_optional_access:
      return remote<std::bad_optional_access>(std::move(facts));
    case ExceptionKind::bad_variant_access:
      return remote<std::bad_variant_access>(std::move(facts));
    case ExceptionKind::bad_exception: return remote<std::bad_exception>(std::move(facts));
    default: return remote<std::exception>(std::move(facts));
  }
}

}  // namespace

void encode_exception(Writer& out, const std::exception_ptr& thrown) {
  put_form(out, record_of(thrown));
}

std::exception_ptr decode_exception(std::span<const std::byte> bytes, int worker_pid) {
  try {
    Reader in(bytes);
    const ExceptionForm record = take_form(in);
    const RemoteFacts facts{record.type_name, record.what, worker_pid};
    if (auto own = make_own(record, facts)) return own;
    if (auto coded = make_coded(record, facts)) return coded;
    return make_plain(record, facts);
  } catch (...) {
    return std::make_exception_ptr(
        ShipError("cannot decode the exception of a task: its worker left no readable record"));
  }
}

}  // namespace brood::wire

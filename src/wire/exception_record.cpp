// SPDX-License-Identifier: MIT
#include <brood/wire/exception_record.hpp>

#include <cxxabi.h>
#include <any>
#include <cstdint>
#include <cstring>
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

#include "wire/remote.hpp"

namespace brood::wire {
namespace {

// Which standard type, or which of brood's, a thrown object is nearest to. From
// the derived to the bases: the first that matches is taken.
enum class Kind : std::uint32_t {
  value_error,
  task_timeout,
  timeout_error,
  cancelled_error,
  ship_error,
  context_error,
  broken_pool,
  brood_system_error,
  memory_limit,
  worker_crashed,
  invalid_argument,
  domain_error,
  length_error,
  out_of_range,
  future_error,
  logic_error,
  filesystem_error,
  ios_failure,
  system_error,
  range_error,
  overflow_error,
  underflow_error,
  regex_error,
  runtime_error,
  bad_array_new_length,
  bad_alloc,
  bad_any_cast,
  bad_cast,
  bad_typeid,
  bad_function_call,
  bad_weak_ptr,
  bad_optional_access,
  bad_variant_access,
  bad_exception,
  exception,
  other,
};

// As it travels.
struct Record {
  Kind kind = Kind::other;
  std::string type_name;
  std::string what;
  std::int64_t numbers[4] = {0, 0, 0, 0};  // codes, or a crash's pid, signal, exit code
  std::string texts[2];                    // a category's name; paths
};

template <typename Number>
void put(Writer& out, Number number) {
  out.write(&number, sizeof number);
}

void put_text(Writer& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out.write(text.data(), text.size());
}

template <typename Number>
Number take(Reader& in) {
  Number number{};
  in.read(&number, sizeof number);
  return number;
}

std::string take_text(Reader& in) {
  const auto size = static_cast<std::size_t>(take<std::uint64_t>(in));
  const auto* const bytes = in.take(size);
  return {reinterpret_cast<const char*>(bytes), size};
}

void put_record(Writer& out, const Record& record) {
  put(out, static_cast<std::uint32_t>(record.kind));
  put_text(out, record.type_name);
  put_text(out, record.what);
  for (const std::int64_t number : record.numbers) put(out, number);
  for (const std::string& text : record.texts) put_text(out, text);
}

Record take_record(Reader& in) {
  Record record;
  const auto kind = take<std::uint32_t>(in);
  if (kind > static_cast<std::uint32_t>(Kind::other)) {
    throw ShipError("cannot decode an exception: unknown kind");
  }
  record.kind = static_cast<Kind>(kind);
  record.type_name = take_text(in);
  record.what = take_text(in);
  for (std::int64_t& number : record.numbers) number = take<std::int64_t>(in);
  for (std::string& text : record.texts) text = take_text(in);
  return record;
}

template <typename Type>
bool is(const std::exception& thrown) {
  return dynamic_cast<const Type*>(&thrown) != nullptr;
}

void note_code(Record& record, const std::error_code& code) {
  record.numbers[0] = code.value();
  record.texts[0] = code.category().name();
}

// brood's own types, as a nested pool in a task throws them.
bool describe_own(const std::exception& thrown, Record& record) {
  if (const auto* const crash = dynamic_cast<const WorkerCrashed*>(&thrown)) {
    record.kind = is<MemoryLimitExceeded>(thrown) ? Kind::memory_limit : Kind::worker_crashed;
    record.numbers[0] = crash->pid();
    record.numbers[1] = crash->signal();
    record.numbers[2] = crash->exit_code();
    if (const auto* const limit = dynamic_cast<const MemoryLimitExceeded*>(&thrown)) {
      record.numbers[2] = static_cast<std::int64_t>(limit->limit());
      record.numbers[3] = static_cast<std::int64_t>(limit->peak());
    }
    return true;
  }
  if (const auto* const refusal = dynamic_cast<const SystemError*>(&thrown)) {
    record.kind = Kind::brood_system_error;
    record.numbers[0] = refusal->code();
    return true;
  }
  if (is<ValueError>(thrown))
    record.kind = Kind::value_error;
  else if (is<TaskTimeout>(thrown))
    record.kind = Kind::task_timeout;
  else if (is<TimeoutError>(thrown))
    record.kind = Kind::timeout_error;
  else if (is<CancelledError>(thrown))
    record.kind = Kind::cancelled_error;
  else if (is<ShipError>(thrown))
    record.kind = Kind::ship_error;
  else if (is<ContextError>(thrown))
    record.kind = Kind::context_error;
  else if (is<BrokenPool>(thrown))
    record.kind = Kind::broken_pool;
  else
    return false;
  return true;
}

bool describe_coded(const std::exception& thrown, Record& record) {
  if (const auto* const file = dynamic_cast<const std::filesystem::filesystem_error*>(&thrown)) {
    record.kind = Kind::filesystem_error;
    note_code(record, file->code());
    record.texts[0] = file->path1().string();
    record.texts[1] = file->path2().string();
    record.numbers[1] = file->code().category() == std::generic_category() ? 1 : 0;
  } else if (const auto* const stream = dynamic_cast<const std::ios_base::failure*>(&thrown)) {
    record.kind = Kind::ios_failure;
    note_code(record, stream->code());
  } else if (const auto* const system = dynamic_cast<const std::system_error*>(&thrown)) {
    record.kind = Kind::system_error;
    note_code(record, system->code());
  } else if (const auto* const future = dynamic_cast<const std::future_error*>(&thrown)) {
    record.kind = Kind::future_error;
    note_code(record, future->code());
  } else if (const auto* const regex = dynamic_cast<const std::regex_error*>(&thrown)) {
    record.kind = Kind::regex_error;
    record.numbers[0] = static_cast<std::int64_t>(regex->code());
  } else {
    return false;
  }
  return true;
}

Kind plain_kind(const std::exception& thrown) {
  if (is<std::invalid_argument>(thrown)) return Kind::invalid_argument;
  if (is<std::domain_error>(thrown)) return Kind::domain_error;
  if (is<std::length_error>(thrown)) return Kind::length_error;
  if (is<std::out_of_range>(thrown)) return Kind::out_of_range;
  if (is<std::logic_error>(thrown)) return Kind::logic_error;
  if (is<std::range_error>(thrown)) return Kind::range_error;
  if (is<std::overflow_error>(thrown)) return Kind::overflow_error;
  if (is<std::underflow_error>(thrown)) return Kind::underflow_error;
  if (is<std::runtime_error>(thrown)) return Kind::runtime_error;
  if (is<std::bad_array_new_length>(thrown)) return Kind::bad_array_new_length;
  if (is<std::bad_alloc>(thrown)) return Kind::bad_alloc;
  if (is<std::bad_any_cast>(thrown)) return Kind::bad_any_cast;
  if (is<std::bad_cast>(thrown)) return Kind::bad_cast;
  if (is<std::bad_typeid>(thrown)) return Kind::bad_typeid;
  if (is<std::bad_function_call>(thrown)) return Kind::bad_function_call;
  if (is<std::bad_weak_ptr>(thrown)) return Kind::bad_weak_ptr;
  if (is<std::bad_optional_access>(thrown)) return Kind::bad_optional_access;
  if (is<std::bad_variant_access>(thrown)) return Kind::bad_variant_access;
  if (is<std::bad_exception>(thrown)) return Kind::bad_exception;
  return Kind::exception;
}

// Of an exception that was sent on from a worker's own pool, what was thrown
// there first.
void describe(const std::exception& thrown, Record& record) {
  const auto* const remote = dynamic_cast<const RemoteError*>(&thrown);
  record.type_name = remote ? remote->type_name() : wire::type_name(typeid(thrown));
  record.what = thrown.what();
  if (!describe_own(thrown, record) && !describe_coded(thrown, record)) {
    record.kind = plain_kind(thrown);
  }
}

Record record_of(const std::exception_ptr& thrown) {
  Record record;
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
      record.what = text ? text : "";
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

template <typename Base, typename... Arguments>
std::exception_ptr remote(RemoteFacts facts, Arguments&&... arguments) {
  return std::make_exception_ptr(
      Remote<Base>(std::move(facts), std::forward<Arguments>(arguments)...));
}

std::exception_ptr make_own(const Record& record, RemoteFacts facts) {
  const auto number = [&](int i) { return static_cast<int>(record.numbers[i]); };
  const std::string what = record.what;
  switch (record.kind) {
    case Kind::value_error: return remote<ValueError>(std::move(facts), what);
    case Kind::task_timeout: return remote<TaskTimeout>(std::move(facts), what);
    case Kind::timeout_error: return remote<TimeoutError>(std::move(facts), what);
    case Kind::cancelled_error: return remote<CancelledError>(std::move(facts), what);
    case Kind::ship_error: return std::make_exception_ptr(ShipError(what));
    case Kind::context_error: return remote<ContextError>(std::move(facts), what);
    case Kind::broken_pool: return remote<BrokenPool>(std::move(facts), what);
    case Kind::brood_system_error: return remote<SystemError>(std::move(facts), number(0), what);
    case Kind::worker_crashed:
      return remote<WorkerCrashed>(std::move(facts), what, number(0), number(1), number(2));
    case Kind::memory_limit:
      return remote<MemoryLimitExceeded>(std::move(facts), what, number(0), number(1), -number(1),
                                         static_cast<std::size_t>(record.numbers[2]),
                                         static_cast<std::size_t>(record.numbers[3]));
    default: return nullptr;
  }
}

std::exception_ptr make_coded(const Record& record, RemoteFacts facts) {
  const int value = static_cast<int>(record.numbers[0]);
  const auto code = [&] { return std::error_code(value, category_named(record.texts[0])); };
  switch (record.kind) {
    case Kind::filesystem_error: {
      const std::error_code reason(
          value, record.numbers[1] != 0 ? std::generic_category() : std::system_category());
      return remote<std::filesystem::filesystem_error>(std::move(facts), record.what,
                                                       record.texts[0], record.texts[1], reason);
    }
    case Kind::ios_failure:
      return remote<std::ios_base::failure>(std::move(facts), record.what, code());
    case Kind::system_error: return remote<std::system_error>(std::move(facts), code());
    case Kind::future_error:
      return remote<std::future_error>(std::move(facts), static_cast<std::future_errc>(value));
    case Kind::regex_error:
      return remote<std::regex_error>(std::move(facts),
                                      static_cast<std::regex_constants::error_type>(value));
    default: return nullptr;
  }
}

std::exception_ptr make_plain(const Record& record, RemoteFacts facts) {
  const std::string& what = record.what;
  switch (record.kind) {
    case Kind::invalid_argument: return remote<std::invalid_argument>(std::move(facts), what);
    case Kind::domain_error: return remote<std::domain_error>(std::move(facts), what);
    case Kind::length_error: return remote<std::length_error>(std::move(facts), what);
    case Kind::out_of_range: return remote<std::out_of_range>(std::move(facts), what);
    case Kind::logic_error: return remote<std::logic_error>(std::move(facts), what);
    case Kind::range_error: return remote<std::range_error>(std::move(facts), what);
    case Kind::overflow_error: return remote<std::overflow_error>(std::move(facts), what);
    case Kind::underflow_error: return remote<std::underflow_error>(std::move(facts), what);
    case Kind::runtime_error: return remote<std::runtime_error>(std::move(facts), what);
    case Kind::bad_array_new_length: return remote<std::bad_array_new_length>(std::move(facts));
    case Kind::bad_alloc: return remote<std::bad_alloc>(std::move(facts));
    case Kind::bad_any_cast: return remote<std::bad_any_cast>(std::move(facts));
    case Kind::bad_cast: return remote<std::bad_cast>(std::move(facts));
    case Kind::bad_typeid: return remote<std::bad_typeid>(std::move(facts));
    case Kind::bad_function_call: return remote<std::bad_function_call>(std::move(facts));
    case Kind::bad_weak_ptr: return remote<std::bad_weak_ptr>(std::move(facts));
    case Kind::bad_optional_access: return remote<std::bad_optional_access>(std::move(facts));
    case Kind::bad_variant_access: return remote<std::bad_variant_access>(std::move(facts));
    case Kind::bad_exception: return remote<std::bad_exception>(std::move(facts));
    default: return remote<std::exception>(std::move(facts));
  }
}

}  // namespace

void encode_exception(Writer& out, const std::exception_ptr& thrown) {
  put_record(out, record_of(thrown));
}

std::exception_ptr decode_exception(std::span<const std::byte> bytes, int worker_pid) {
  try {
    Reader in(bytes);
    const Record record = take_record(in);
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

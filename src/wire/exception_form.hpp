// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <brood/base/crash_report.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

// An exception as it travels.
namespace brood::wire {

// Which standard type, or which of brood's, a thrown object is nearest to. From
// the derived to the bases: the first that matches is taken.
enum class ExceptionKind : std::uint32_t {
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

// What is told of one.
struct ExceptionForm {
  ExceptionKind kind = ExceptionKind::other;
  std::string type_name;
  std::string what;
  std::int64_t numbers[4] = {0, 0, 0, 0};  // codes, limits
  std::string texts[2];                    // a category's name; paths
  // Of a crash or a timeout of a task in a pool of that task.
  CrashReport report;
  std::string task_name;
  std::vector<std::string> backtrace;
};

void put_form(Writer& out, const ExceptionForm& record);
// Throws: for bytes that are none.
ExceptionForm take_form(Reader& in);

}  // namespace brood::wire

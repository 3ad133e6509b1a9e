// SPDX-License-Identifier: MIT
#include "wire/exception_form.hpp"

#include <cstddef>
#include <string_view>

#include <brood/base/error.hpp>

namespace brood::wire {
namespace {

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

// A crash in words: whoever gets it may have other images at those addresses.
void put_crash(Writer& out, const ExceptionForm& record) {
  const CrashReport& report = record.report;
  for (const int number : {report.pid, report.signal, report.exit_code, report.signal_code}) {
    put(out, static_cast<std::int32_t>(number));
  }
  put<std::uint64_t>(out, report.address.value_or(0));
  put<std::uint64_t>(out, report.index);
  put<std::uint64_t>(out, report.crashes);
  put<std::uint8_t>(out, report.address.has_value() ? 1 : 0);
  put<std::uint8_t>(out, report.stack_overflow ? 1 : 0);
  put_text(out, report.exception_type);
  put_text(out, report.exception_what);
  put_text(out, record.task_name);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(record.backtrace.size()));
  for (const std::string& line : record.backtrace) put_text(out, line);
}

void take_crash(Reader& in, ExceptionForm& record) {
  CrashReport& report = record.report;
  for (int* const number : {&report.pid, &report.signal, &report.exit_code, &report.signal_code}) {
    *number = take<std::int32_t>(in);
  }
  const auto address = static_cast<std::uintptr_t>(take<std::uint64_t>(in));
  report.index = static_cast<std::size_t>(take<std::uint64_t>(in));
  report.crashes = take<std::uint64_t>(in);
  if (take<std::uint8_t>(in) != 0) report.address = address;
  report.stack_overflow = take<std::uint8_t>(in) != 0;
  report.exception_type = take_text(in);
  report.exception_what = take_text(in);
  record.task_name = take_text(in);
  for (auto lines = take<std::uint32_t>(in); lines != 0; --lines) {
    record.backtrace.push_back(take_text(in));
  }
}

bool tells_of_a_crash(ExceptionKind kind) noexcept {
  return kind == ExceptionKind::worker_crashed || kind == ExceptionKind::memory_limit ||
         kind == ExceptionKind::task_timeout;
}

}  // namespace

void put_form(Writer& out, const ExceptionForm& record) {
  put(out, static_cast<std::uint32_t>(record.kind));
  put_text(out, record.type_name);
  put_text(out, record.what);
  for (const std::int64_t number : record.numbers) put(out, number);
  for (const std::string& text : record.texts) put_text(out, text);
  if (tells_of_a_crash(record.kind)) put_crash(out, record);
}

ExceptionForm take_form(Reader& in) {
  ExceptionForm record;
  const auto kind = take<std::uint32_t>(in);
  if (kind > static_cast<std::uint32_t>(ExceptionKind::other)) {
    throw ShipError("cannot decode an exception: unknown kind");
  }
  record.kind = static_cast<ExceptionKind>(kind);
  record.type_name = take_text(in);
  record.what = take_text(in);
  for (std::int64_t& number : record.numbers) number = take<std::int64_t>(in);
  for (std::string& text : record.texts) text = take_text(in);
  if (tells_of_a_crash(record.kind)) take_crash(in, record);
  return record;
}

}  // namespace brood::wire

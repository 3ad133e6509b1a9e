// SPDX-License-Identifier: MIT
#include "process/last_words.hpp"

#include <cxxabi.h>
#include <cstdlib>
#include <exception>
#include <string>

#include <brood/wire/type_name.hpp>

#include "os/crash_handler.hpp"
#include "os/thread_list.hpp"
#include "wire/exception_text.hpp"
#include "wire/image.hpp"

namespace brood::process {
namespace {

struct Terminating {
  os::CrashRecord* record = nullptr;
  std::terminate_handler before = nullptr;
  int pid = 0;
};
Terminating terminating;

os::CrashFrame place_of(std::uintptr_t address) noexcept {
  const auto image = wire::image_at(address);
  if (!image) return {0, address};
  return {image->identity, address - image->bias};
}

void note_current_exception() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (!type) return;
  // In case that what() ends the process by itself.
  os::note_exception(*terminating.record, type->name(), {});
  const std::string name = wire::type_name(*type);
  os::note_exception(*terminating.record, name, {});
  try {
    throw;
  } catch (const std::exception& error) {
    os::note_exception(*terminating.record, name, wire::text_or_nothing(error.what()));
  } catch (const std::string& text) {
    os::note_exception(*terminating.record, name, text);
  } catch (const char* text) {
    os::note_exception(*terminating.record, name, wire::text_or_nothing(text));
  } catch (...) {
    // Its type is all that can be known.
  }
}

// Says why, then does what would have been done; the abort that comes of it has
// the stack written down.
[[noreturn]] void on_terminate() {
  if (os::current_process_id() == terminating.pid) {
    try {
      note_current_exception();
    } catch (...) {
      // No memory for the name, or what() threw: the type stands there already.
    }
  }
  if (terminating.before) terminating.before();
  std::abort();
}

}  // namespace

void leave_last_words(os::CrashRecord& record, int bell) noexcept {
  terminating = {&record, std::get_terminate(), os::current_process_id()};
  std::set_terminate(on_terminate);
  os::record_crashes(record, bell, place_of);
}

void rehearse_last_words() noexcept { os::rehearse_walk(place_of); }

}  // namespace brood::process

// SPDX-License-Identifier: MIT
#include "wire/symbols.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <optional>

#include "wire/demangle.hpp"
#include "wire/image.hpp"

#ifdef BROOD_HAVE_LIBBACKTRACE
#include <backtrace.h>
#endif

namespace brood::wire {
namespace {

// What one of the two sources knows; empty where it knows nothing.
struct Sight {
  std::string function;
  std::string file;
  int line = 0;
};

#ifdef BROOD_HAVE_LIBBACKTRACE
void ignore_error(void*, const char*, int) {}

// Reads nothing yet. Never freed, as the library has it.
backtrace_state* state() {
  static backtrace_state* const made = backtrace_create_state(nullptr, 1, ignore_error, nullptr);
  return made;
}

std::string symbol_at(std::uintptr_t address) {
  std::string name;
  if (!state()) return name;
  const auto keep = [](void* to, std::uintptr_t, const char* symbol, std::uintptr_t,
                       std::uintptr_t) {
    if (symbol) *static_cast<std::string*>(to) = demangle(symbol);
  };
  backtrace_syminfo(state(), address, keep, ignore_error, &name);
  return name;
}

std::vector<Sight> sights_at(std::uintptr_t address) {
  std::vector<Sight> all;
  if (!state()) return all;
  const auto keep = [](void* to, std::uintptr_t, const char* file, int line, const char* function) {
    if (!function && !file) return 0;
    static_cast<std::vector<Sight>*>(to)->push_back(
        {function ? demangle(function) : std::string(), file ? file : "", line});
    return 0;
  };
  backtrace_pcinfo(state(), address, keep, ignore_error, &all);
  return all;
}
#else
std::string symbol_at(std::uintptr_t) { return {}; }
std::vector<Sight> sights_at(std::uintptr_t) { return {}; }
#endif

// What the loader knows: exported functions, also of images that were loaded late.
std::string exported_at(std::uintptr_t address) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(address), &info) == 0 || !info.dli_sname) return {};
  return demangle(info.dli_sname);
}

std::string hexadecimal(std::uint64_t number) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::string name_at(std::uintptr_t address) {
  std::string name = symbol_at(address);
  return name.empty() ? exported_at(address) : name;
}

std::string line_of(const Sight& sight, std::uintptr_t address) {
  std::string line = sight.function.empty() ? name_at(address) : sight.function;
  if (line.empty()) line = hexadecimal(address);
  if (!sight.file.empty()) line += " at " + sight.file + ':' + std::to_string(sight.line);
  return line;
}

// Nothing when this process hasn't loaded the image, or the place isn't in it.
struct Located {
  Image image;
  std::uintptr_t address;
};
std::optional<Located> located(CodeRef place) {
  if (place.image == 0) return std::nullopt;
  const std::optional<Image> image = image_with(place.image);
  if (!image || !image->holds(image->bias + place.offset)) return std::nullopt;
  return Located{*image, image->bias + place.offset};
}

}  // namespace

std::vector<std::string> describe_code(CodeRef place) {
  const std::optional<Located> code = located(place);
  if (!code && place.image == 0) return {hexadecimal(place.offset) + " in no image"};
  if (!code) return {hexadecimal(place.offset) + " of an image that this process hasn't loaded"};
  std::vector<std::string> lines;
  for (const Sight& sight : sights_at(code->address))
    lines.push_back(line_of(sight, code->address));
  if (!lines.empty()) return lines;
  std::string name = name_at(code->address);
  if (name.empty()) name = hexadecimal(place.offset);
  const std::string path = path_of(code->image);
  return {path.empty() ? name : name + " in " + path};
}

std::string function_name(CodeRef place) {
  const std::optional<Located> code = located(place);
  return code ? name_at(code->address) : std::string();
}

}  // namespace brood::wire

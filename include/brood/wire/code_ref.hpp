// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <brood/base/export.hpp>

// Functions travel as where they are in the program, not as code. Two processes
// load one image (the executable, a shared library) at different addresses, but
// what lies in it, and how far from its start, is the same in both.
namespace brood::wire {

class Reader;
class Writer;

// Where a function is: which image, and how far from the image's load address.
struct CodeRef {
  std::uint64_t image = 0;  // made from its build-id and layout; 0 is no image
  std::uint64_t offset = 0;

  friend bool operator==(const CodeRef&, const CodeRef&) = default;
};

// What a process needs to load an image that it doesn't have yet.
struct ImageId {
  std::string path;      // absolute, as the kernel knows it
  std::string build_id;  // in hexadecimal; empty where the linker wrote none
  std::uint64_t image = 0;
};

// Throws: ShipError when the address lies in no image (null, or code that was
// made at run time).
// Safety: any thread. A few nanoseconds for the executable's own code.
BROOD_EXPORT CodeRef locate(const void* code);

// The address here of what `locate` saw in this or another process.
// Throws: ShipError when this process hasn't loaded that image.
// Safety: any thread.
BROOD_EXPORT const void* resolve(CodeRef ref);

template <typename Result, typename... Parameters>
CodeRef locate(Result (*function)(Parameters...)) {
  return locate(reinterpret_cast<const void*>(function));
}

template <typename Function>
Function* resolve_as(CodeRef ref) {
  return reinterpret_cast<Function*>(const_cast<void*>(resolve(ref)));
}

// Remembers the images that are loaded now: every worker born from here has
// them. Called when the first nursery is made. Until then, only the executable
// counts.
BROOD_EXPORT void mark_initial_images();

// False when a worker may lack the image, so that image_of must travel as well.
// Safety: any thread, after mark_initial_images.
BROOD_EXPORT bool in_initial_images(CodeRef ref) noexcept;
// The same of an address here. Throws: ShipError, as locate.
BROOD_EXPORT bool in_initial_images(const void* code);

// Nothing when the image isn't loaded (any more).
BROOD_EXPORT std::optional<ImageId> image_of(CodeRef ref);

// Loads the image unless this process has it. It is never unloaded.
// Throws: ShipError when the file can't be loaded, or is another build.
BROOD_EXPORT void ensure_image(const ImageId& id);

// Writes where the code is, and the image's file too where a worker may lack it.
// Throws: ShipError, as locate.
BROOD_EXPORT void ship_code(Writer& out, const void* code);

// The address here of what ship_code wrote; loads its image where that's missing.
// Throws: ShipError, as resolve and ensure_image.
BROOD_EXPORT const void* take_code(Reader& in);
// The same without the address: nothing is loaded.
BROOD_EXPORT CodeRef read_code(Reader& in);

}  // namespace brood::wire

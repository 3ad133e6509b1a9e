// SPDX-License-Identifier: MIT
#include <brood/wire/code_ref.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/wire/reader.hpp>
#include <brood/wire/writer.hpp>

#include "wire/image.hpp"

namespace brood::wire {
namespace {

// Never freed: the loader's own objects may outlive static ones.
struct InitialImages {
  std::vector<std::uint64_t> identities;  // sorted
  // The one before stays too: another thread may be reading it.
  const InitialImages* before;
};
std::atomic<const InitialImages*> initial_images{nullptr};

std::string hexadecimal(std::uint64_t number) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

[[noreturn]] void throw_homeless(std::uintptr_t address) {
  if (address == 0) throw ShipError("cannot ship callable: it is a null function pointer");
  throw ShipError("cannot ship function at " + hexadecimal(address) +
                  ": it lies in no image of the program (made at run time?), so a worker can't "
                  "find it; use a compiled function, or Context::thread");
}

[[noreturn]] void throw_unknown(CodeRef ref) {
  throw ShipError("cannot find function at offset " + hexadecimal(ref.offset) + " of image " +
                  hexadecimal(ref.image) +
                  ": this worker hasn't loaded that image; load the library before brood::init");
}

// In the offset: an ImageId follows. No image is that large.
constexpr std::uint64_t has_file = std::uint64_t{1} << 63;

void put_text(Writer& out, const std::string& text) {
  const std::uint64_t size = text.size();
  out.write(&size, sizeof size);
  out.write(text.data(), text.size());
}

std::string take_text(Reader& in) {
  const std::size_t size = in.take_count(1);
  return {reinterpret_cast<const char*>(in.take(size)), size};
}

}  // namespace

CodeRef locate(const void* code) {
  const auto address = reinterpret_cast<std::uintptr_t>(code);
  if (const Image& image = main_image(); image.holds(address)) {
    return {image.identity, address - image.bias};
  }
  const std::optional<Image> image = image_at(address);
  if (!image) throw_homeless(address);
  return {image->identity, address - image->bias};
}

const void* resolve(CodeRef ref) {
  std::optional<Image> other;
  const Image* image = &main_image();
  if (ref.image != image->identity) {
    other = image_with(ref.image);
    if (!other) throw_unknown(ref);
    image = &*other;
  }
  const std::uintptr_t address = image->bias + ref.offset;
  if (!image->holds(address)) throw_unknown(ref);
  return reinterpret_cast<const void*>(address);
}

void mark_initial_images() {
  auto* const now = new InitialImages{loaded_images(), initial_images.load()};
  // Pairs with the acquire in in_initial_images.
  while (!initial_images.compare_exchange_weak(now->before, now)) {
  }
}

bool in_initial_images(const void* code) {
  return main_image().holds(reinterpret_cast<std::uintptr_t>(code)) ||
         in_initial_images(locate(code));
}

bool in_initial_images(CodeRef ref) noexcept {
  if (ref.image == main_image().identity) return true;
  const InitialImages* const images = initial_images.load(std::memory_order_acquire);
  return images &&
         std::binary_search(images->identities.begin(), images->identities.end(), ref.image);
}

std::optional<ImageId> image_of(CodeRef ref) {
  const std::optional<Image> image = image_with(ref.image);
  if (!image) return std::nullopt;
  return ImageId{path_of(*image), build_id_of(*image), image->identity};
}

void ensure_image(const ImageId& id) {
  if (id.image == main_image().identity || image_with(id.image)) return;
  const std::string subject = "cannot load image '" + id.path + "': ";
  if (!::dlopen(id.path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    const char* const reason = ::dlerror();
    throw ShipError(subject + (reason ? reason : "the loader refused") +
                    "; load the library before brood::init");
  }
  if (!image_with(id.image)) {
    throw ShipError(subject + "the file is not the build (" +
                    (id.build_id.empty() ? "no build-id" : id.build_id) +
                    ") that the program has loaded; it was replaced meanwhile");
  }
}

void ship_code(Writer& out, const void* code) {
  CodeRef ref = locate(code);
  // Each worker has that, and most calls are to it.
  if (ref.image == main_image().identity) return out.write(&ref, sizeof ref);
  std::optional<ImageId> file;
  if (!in_initial_images(ref)) file = image_of(ref);
  if (file) ref.offset |= has_file;
  out.write(&ref, sizeof ref);
  if (!file) return;
  put_text(out, file->path);
  put_text(out, file->build_id);
}

namespace {

// What ship_code wrote.
struct ShippedCode {
  CodeRef ref;
  std::unique_ptr<const ImageId> file;  // seldom
};

ShippedCode read_shipped(Reader& in) {
  ShippedCode code;
  in.read(&code.ref, sizeof code.ref);
  if ((code.ref.offset & has_file) == 0) return code;
  code.ref.offset &= ~has_file;
  std::string path = take_text(in);
  std::string build_id = take_text(in);
  code.file =
      std::make_unique<ImageId>(ImageId{std::move(path), std::move(build_id), code.ref.image});
  return code;
}

}  // namespace

const void* take_code(Reader& in) {
  const ShippedCode code = read_shipped(in);
  if (code.file) ensure_image(*code.file);
  return resolve(code.ref);
}

CodeRef read_code(Reader& in) { return read_shipped(in).ref; }

}  // namespace brood::wire

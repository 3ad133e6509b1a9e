// SPDX-License-Identifier: MIT
#include "wire/image.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/mapping_at.hpp"

namespace brood::wire {
namespace {

std::span<const ElfW(Phdr)> headers(const dl_phdr_info& info) noexcept {
  return {info.dlpi_phdr, info.dlpi_phnum};
}

std::span<const std::byte> segment(const dl_phdr_info& info, const ElfW(Phdr) & header) noexcept {
  return {reinterpret_cast<const std::byte*>(info.dlpi_addr + header.p_vaddr), header.p_memsz};
}

// A note is a header, a name and a description, the two padded to words.
std::span<const std::byte> build_id_in(std::span<const std::byte> notes) noexcept {
  constexpr auto padded = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof note);
    const std::size_t text_at = sizeof note + padded(note.n_namesz);
    const std::size_t end = text_at + padded(note.n_descsz);
    if (end > notes.size()) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes.data() + sizeof note, "GNU", 4) == 0) {
      return notes.subspan(text_at, note.n_descsz);
    }
    notes = notes.subspan(end);
  }
  return {};
}

std::span<const std::byte> build_id(const dl_phdr_info& info) noexcept {
  for (const ElfW(Phdr) & header : headers(info)) {
    if (header.p_type != PT_NOTE) continue;
    const std::span<const std::byte> id = build_id_in(segment(info, header));
    if (!id.empty()) return id;
  }
  return {};
}

std::uint64_t mix(std::uint64_t hash, std::span<const std::byte> bytes) noexcept {
  const auto add = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  };
  for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    add(word);
  }
  std::uint64_t rest = bytes.size() << 56;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  add(rest);
  return hash;
}

// The build-id and the program headers, which are the file's own bytes in every
// process. Where the linker wrote no build-id the code itself takes its place:
// position-independent code is never written to by the loader.
std::uint64_t identity(const dl_phdr_info& info) noexcept {
  const std::span<const std::byte> id = build_id(info);
  std::uint64_t hash = mix(0, std::as_bytes(headers(info)));
  if (!id.empty()) {
    hash = mix(hash, id);
  } else {
    for (const ElfW(Phdr) & header : headers(info)) {
      constexpr unsigned code = PF_R | PF_X;
      if (header.p_type == PT_LOAD && header.p_flags == code) {
        hash = mix(hash, segment(info, header));
      }
    }
  }
  return hash == 0 ? 1 : hash;
}

// Everything but the identity, which takes longer.
Image bounds(const dl_phdr_info& info) noexcept {
  std::uintptr_t begin = UINTPTR_MAX;
  std::uintptr_t end = 0;
  for (const ElfW(Phdr) & header : headers(info)) {
    if (header.p_type != PT_LOAD) continue;
    begin = std::min<std::uintptr_t>(begin, header.p_vaddr);
    end = std::max<std::uintptr_t>(end, header.p_vaddr + header.p_memsz);
  }
  if (begin >= end) return {};
  return {info.dlpi_addr + begin, end - begin, info.dlpi_addr, 0};
}

// Calls `visit(info)` for each image, the executable first, until it says true.
template <typename Visit>
void visit_images(Visit visit) noexcept {
  ::dl_iterate_phdr([](dl_phdr_info* info, std::size_t,
                       void* data) { return (*static_cast<Visit*>(data))(*info) ? 1 : 0; },
                    &visit);
}

// The images that this thread met last, good as long as the loader's own
// counters stand still. Without a destructor: it may be asked until the very end.
struct Cache {
  unsigned long long loads = 0;
  unsigned long long unloads = 0;
  std::size_t oldest = 0;
  std::array<Image, 8> images{};

  void refresh() noexcept {
    visit_images([this](const dl_phdr_info& info) {
      if (info.dlpi_adds != loads || info.dlpi_subs != unloads) {
        *this = {};
        loads = info.dlpi_adds;
        unloads = info.dlpi_subs;
      }
      return true;
    });
  }
};

constinit thread_local Cache cache;

template <typename Matches, typename Search>
std::optional<Image> find(Matches matches, Search search) noexcept {
  cache.refresh();
  for (const Image& image : cache.images) {
    if (image.identity != 0 && matches(image)) return image;
  }
  std::optional<Image> found;
  visit_images([&](const dl_phdr_info& info) { return (found = search(info)).has_value(); });
  if (found) cache.images[cache.oldest++ % cache.images.size()] = *found;
  return found;
}

// The loader's record of an image, whose pointers are good while it is loaded.
std::optional<dl_phdr_info> record_of(const Image& image) noexcept {
  std::optional<dl_phdr_info> found;
  visit_images([&](const dl_phdr_info& info) {
    if (bounds(info).begin == image.begin) found = info;
    return found.has_value();
  });
  return found;
}

}  // namespace

const Image& find_main_image() noexcept {
  static const Image image = [] {
    Image main;
    visit_images([&main](const dl_phdr_info& info) {
      main = bounds(info);
      main.identity = identity(info);
      return true;
    });
    return main;
  }();
  known_main_image.store(&image, std::memory_order_release);
  return image;
}

std::optional<Image> image_at(std::uintptr_t address) noexcept {
  return find([address](const Image& image) { return image.holds(address); },
              [address](const dl_phdr_info& info) -> std::optional<Image> {
                Image image = bounds(info);
                if (!image.holds(address)) return std::nullopt;
                image.identity = identity(info);
                return image;
              });
}

std::optional<Image> image_with(std::uint64_t wanted) noexcept {
  return find([wanted](const Image& image) { return image.identity == wanted; },
              [wanted](const dl_phdr_info& info) -> std::optional<Image> {
                Image image = bounds(info);
                image.identity = identity(info);
                if (image.identity != wanted) return std::nullopt;
                return image;
              });
}

std::vector<std::uint64_t> loaded_images() {
  std::vector<std::uint64_t> identities;
  visit_images([&identities](const dl_phdr_info& info) {
    identities.push_back(identity(info));
    return false;
  });
  std::sort(identities.begin(), identities.end());
  return identities;
}

std::string path_of(const Image& image) {
  const std::optional<dl_phdr_info> record = record_of(image);
  if (!record) return {};
  // A relative name was relative to a directory that the program may have left.
  if (record->dlpi_name && record->dlpi_name[0] == '/') return record->dlpi_name;
  return base::mapping_at(image.begin).value_or("");
}

std::string build_id_of(const Image& image) {
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  const std::optional<dl_phdr_info> record = record_of(image);
  if (!record) return hex;
  for (const std::byte byte : build_id(*record)) {
    hex += digits[std::to_integer<unsigned>(byte) >> 4];
    hex += digits[std::to_integer<unsigned>(byte) & 15];
  }
  return hex;
}

}  // namespace brood::wire

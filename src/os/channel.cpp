// SPDX-License-Identifier: MIT
#include "os/channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "os/pidfd.hpp"
#include "os/syscall.hpp"

namespace brood::os {
namespace {

union ControlArea {
  struct cmsghdr aligned;
  std::byte bytes[CMSG_SPACE(sizeof(int) * most_descriptors)];
};

void attach(struct msghdr& header, ControlArea& area, std::span<const int> descriptors) {
  header.msg_control = &area;
  header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  struct cmsghdr* const control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(control), descriptors.data(), descriptors.size_bytes());
}

void detach(struct msghdr& header, std::vector<UniqueFd>& into) {
  for (struct cmsghdr* control = CMSG_FIRSTHDR(&header); control;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    into.reserve(into.size() + count);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
      into.emplace_back(fd);
    }
  }
}

}  // namespace

std::pair<UniqueFd, UniqueFd> make_channel() {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make a socket pair");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool send_message(int channel, std::span<const std::byte> message,
                  std::span<const int> descriptors) {
  struct iovec part{const_cast<std::byte*>(message.data()), message.size()};
  struct msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ControlArea area{};
  if (!descriptors.empty()) attach(header, area, descriptors);
  const auto sent = uninterrupted([&] { return ::sendmsg(channel, &header, MSG_NOSIGNAL); });
  if (sent != -1) return true;
  if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) return false;
  throw_system_error(errno, "send a message to another process");
}

SystemError no_descriptor_left(const std::string& what) {
  return {EMFILE, "cannot " + what + ": " + reason(EMFILE)};
}

std::optional<Received> receive_message(int channel, std::span<std::byte> into,
                                        const Deadline& deadline) {
  // A socket that has been hung up counts as ready as well.
  if (!deadline.is_never() && !wait_for_end(channel, deadline)) return std::nullopt;
  struct iovec part{into.data(), into.size()};
  struct msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ControlArea area{};
  header.msg_control = &area;
  const auto receive = [&] {
    header.msg_controllen = sizeof area;
    return ::recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  };
  auto size = uninterrupted(receive);
  // The other end was closed with messages unread there. Linux says so once, and
  // before it hands out what was sent from there.
  if (size == -1 && errno == ECONNRESET) size = uninterrupted(receive);
  if (size == -1) throw_system_error(errno, "receive a message from another process");
  if (size == 0) return std::nullopt;
  Received received{static_cast<std::size_t>(size), (header.msg_flags & MSG_CTRUNC) != 0, {}};
  detach(header, received.descriptors);
  return received;
}

}  // namespace brood::os

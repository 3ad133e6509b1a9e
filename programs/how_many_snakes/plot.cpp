// SPDX-License-Identifier: MIT
#include "how_many_snakes/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string_view>

namespace snakes {
namespace {

// All in the units of the picture, y downwards.
constexpr double width = 720;
constexpr double height = 460;
constexpr double left = 70;
constexpr double right = width - 30;
constexpr double top = 60;
constexpr double bottom = height - 60;

struct Look {
  Kind kind;
  std::string_view colour;
  std::string_view name;
};
// Blue and orange, which colour-blind readers tell apart as well.
constexpr std::array looks{Look{Kind::processes, "#0072b2", "processes"},
                           Look{Kind::threads, "#d55e00", "threads"}};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

// 1, 2 or 5 times a power of ten, so that some eight steps lead to the top.
double step_for(double most) {
  const double rough = most / 8;
  const double magnitude = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * magnitude >= rough) return factor * magnitude;
  }
  return 10 * magnitude;
}

class Picture {
 public:
  Picture(const Report& report, const Machine& machine) : report_(report), machine_(machine) {
    for (const Row& row : report.rows) {
      most_workers_ = std::max(most_workers_, static_cast<double>(row.workers));
      most_speedup_ = std::max(most_speedup_, report.speedup(row));
    }
    // Room for a bit of the ideal line above the curves.
    most_speedup_ = std::max(1.2 * most_speedup_, 1.5);
  }

  std::string draw(const std::string& title) {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\""
         << height << "\" viewBox=\"0 0 " << width << ' ' << height
         << "\" font-family=\"sans-serif\" font-size=\"13\">\n"
         << "<title>" << escaped(title) << "</title>\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    text(left, 30, title, "start", "font-size=\"15\" font-weight=\"bold\"");
    draw_axes();
    draw_cpus();
    draw_ideal();
    double y_of_name = bottom - 50;
    for (const Look& look : looks) {
      if (draw_curve(look, y_of_name)) y_of_name += 20;
    }
    out_ << "</svg>\n";
    return out_.str();
  }

 private:
  double x(double workers) const {
    return left + (right - left) * workers / std::max(most_workers_ * 1.05, 2.0);
  }
  double y(double speedup) const { return bottom - (bottom - top) * speedup / most_speedup_; }

  void text(double at_x, double at_y, std::string_view words, std::string_view anchor,
            std::string_view more = "") {
    out_ << "<text x=\"" << at_x << "\" y=\"" << at_y << "\" text-anchor=\"" << anchor << "\" "
         << more << '>' << escaped(words) << "</text>\n";
  }

  void line(double x1, double y1, double x2, double y2, std::string_view look) {
    out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" "
         << look << "/>\n";
  }

  void draw_axes() {
    const double up = step_for(most_speedup_);
    for (double tick = 0; tick <= most_speedup_; tick += up) {
      line(left, y(tick), right, y(tick), "stroke=\"#e4e4e4\"");
      text(left - 8, y(tick) + 4, number(tick), "end");
    }
    const double along = std::max(1.0, step_for(most_workers_));
    for (double tick = along; tick <= most_workers_; tick += along) {
      line(x(tick), bottom, x(tick), bottom + 5, "stroke=\"black\"");
      text(x(tick), bottom + 20, number(tick), "middle");
    }
    line(left, bottom, right, bottom, "stroke=\"black\"");
    line(left, top, left, bottom, "stroke=\"black\"");
    text((left + right) / 2, height - 18, "workers", "middle");
    const double middle = (top + bottom) / 2;
    text(22, middle, "speedup over the serial run", "middle",
         "transform=\"rotate(-90 22 " + number(middle) + ")\"");
  }

  void draw_cpus() {
    const auto cpus = static_cast<double>(machine_.usable);
    if (x(cpus) > right) return;
    line(x(cpus), top, x(cpus), bottom, "stroke=\"#999999\" stroke-dasharray=\"2,3\"");
    text(x(cpus) + 5, bottom - 8, machine_.usable == 1 ? "1 CPU" : number(cpus) + " CPUs", "start",
         "fill=\"#666666\"");
  }

  void draw_ideal() {
    const double end = std::min(most_workers_, most_speedup_);
    line(x(0), y(0), x(end), y(end), "stroke=\"#999999\" stroke-dasharray=\"7,4\"");
    text(x(end) + 6, y(end) + 12, "ideal", "start", "fill=\"#666666\"");
  }

  // The names stand where curves that begin at one and level off leave room.
  bool draw_curve(const Look& look, double y_of_name) {
    std::string points;
    std::ostringstream dots;
    for (const Row& row : report_.rows) {
      if (row.kind != look.kind) continue;
      const double at_x = x(static_cast<double>(row.workers));
      const double at_y = y(report_.speedup(row));
      points += number(at_x) + ',' + number(at_y) + ' ';
      dots << "<circle cx=\"" << at_x << "\" cy=\"" << at_y << "\" r=\"3.5\"/>\n";
    }
    if (points.empty()) return false;
    out_ << "<polyline points=\"" << points << "\" fill=\"none\" stroke-width=\"2\" stroke=\""
         << look.colour << "\"/>\n<g fill=\"" << look.colour << "\">\n"
         << dots.str() << "</g>\n";
    line(right - 110, y_of_name - 4, right - 86, y_of_name - 4,
         "stroke-width=\"2\" stroke=\"" + std::string(look.colour) + "\"");
    text(right - 78, y_of_name, look.name, "start");
    return true;
  }

  const Report& report_;
  const Machine& machine_;
  double most_workers_ = 1;
  double most_speedup_ = 1;
  std::ostringstream out_;
};

}  // namespace

std::string plot(const Report& report, const Machine& machine, const std::string& title) {
  return Picture(report, machine).draw(title);
}

}  // namespace snakes

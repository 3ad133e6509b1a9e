// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace snakes {

struct Point {
  std::string context;
  std::size_t workers;
  double speedup;
};

// Speedup over workers as SVG, a line a context, and the ideal dashed.
inline void write_plot(const std::string& path, const std::vector<Point>& points) {
  constexpr double width = 640, height = 420, left = 60, bottom = 50, top = 20, right = 20;
  double most = 1;
  double highest = 1;
  for (const Point& point : points) {
    most = std::max(most, static_cast<double>(point.workers));
    highest = std::max(highest, point.speedup * 1.15);
  }
  const auto x = [&](double workers) {
    return left + (width - left - right) * (workers - 1) / std::max(most - 1, 1.0);
  };
  const auto y = [&](double speedup) {
    return height - bottom - (height - bottom - top) * speedup / highest;
  };
  std::ofstream out(path);
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='640' height='420' "
         "font-family='sans-serif' font-size='13'>\n<rect width='640' height='420' "
         "fill='white'/>\n";
  for (double tick = 0; tick <= highest; tick += highest > 6 ? 2 : 0.5) {
    out << "<line x1='" << left << "' x2='" << width - right << "' y1='" << y(tick) << "' y2='"
        << y(tick) << "' stroke='#ddd'/><text x='" << left - 30 << "' y='" << y(tick) + 4 << "'>"
        << tick << "</text>\n";
  }
  for (std::size_t workers = 1; static_cast<double>(workers) <= most; ++workers) {
    out << "<text x='" << x(static_cast<double>(workers)) - 3 << "' y='" << height - bottom + 20
        << "'>" << workers << "</text>\n";
  }
  out << "<text x='" << width / 2 - 30 << "' y='" << height - 8 << "'>workers</text>"
      << "<text transform='translate(16," << height / 2 + 30 << ") rotate(-90)'>speedup</text>\n"
      << "<line stroke='#999' stroke-dasharray='5,4' x1='" << x(1) << "' y1='" << y(1) << "' x2='"
      << x(std::min(most, highest)) << "' y2='" << y(std::min(most, highest)) << "'/>\n";
  const std::map<std::string, std::string> colours{{"threads", "#1f77b4"},
                                                   {"processes", "#d62728"}};
  double label = top + 15;
  for (const auto& [context, colour] : colours) {
    out << "<polyline fill='none' stroke-width='2' stroke='" << colour << "' points='";
    for (const Point& point : points) {
      if (point.context != context) continue;
      out << x(static_cast<double>(point.workers)) << ',' << y(point.speedup) << ' ';
    }
    out << "'/>\n<text x='" << left + 15 << "' y='" << label << "' fill='" << colour << "'>"
        << context << "</text>\n";
    label += 18;
  }
  out << "</svg>\n";
}

}  // namespace snakes

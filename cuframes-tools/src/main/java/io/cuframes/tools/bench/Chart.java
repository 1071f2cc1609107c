// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A picture of lines over axes, as SVG. For one thread. */
final class Chart {
    /** How values lie along an axis. */
    enum Scale {
        /** Equal steps. */
        LINEAR,
        /** Equal factors. */
        LOG,
        /** Equal factors of what is left of 100 percent. */
        PERCENTILE
    }

    /**
     * A point.
     *
     * @param x along
     * @param y up
     */
    record Point(double x, double y) {}

    /**
     * A line.
     *
     * @param name for the legend
     * @param points from left to right
     * @param marked whether each point has a dot
     */
    record Line(String name, List<Point> points, boolean marked) {}

    /**
     * An axis.
     *
     * @param label with its unit
     * @param scale how values lie
     * @param ticks where there is a number; empty for what fits
     */
    record Axis(String label, Scale scale, List<Double> ticks) {}

    /**
     * A picture beside others.
     *
     * @param title above it
     * @param x below
     * @param y at the left
     * @param lines in it; those of one name look alike in all panels
     */
    record Panel(String title, Axis x, Axis y, List<Line> lines) {}

    /** Told apart also by who does not see all colours; after them they come again, dashed. */
    private static final List<String> COLOURS =
            List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b3a8e", "#7a7a00", "#333333");

    private static final int WIDTH = 460;
    private static final int ALONE = 860;
    private static final int HEIGHT = 400;
    private static final int LEFT = 74;
    private static final int RIGHT = 22;
    private static final int TOP = 92;
    private static final int BELOW = 58;
    private static final int LEGEND_ROW = 20;
    private static final int CHARACTER = 7;

    private final StringBuilder svg = new StringBuilder();
    private final List<String> names = new ArrayList<>();
    private final int panelWidth;

    private Chart(int panelWidth) {
        this.panelWidth = panelWidth;
    }

    /**
     * Draws.
     *
     * @param title above all
     * @param subtitle below it: of what, and on what
     * @param panels from left to right
     */
    static String draw(String title, String subtitle, List<Panel> panels) {
        return new Chart(panels.size() == 1 ? ALONE : WIDTH).picture(title, subtitle, panels);
    }

    private String picture(String title, String subtitle, List<Panel> panels) {
        panels.forEach(panel -> panel.lines().forEach(line -> {
            if (!names.contains(line.name())) {
                names.add(line.name());
            }
        }));
        int width = panelWidth * panels.size();
        List<List<String>> rows = legendRows(width);
        int height = TOP + HEIGHT + BELOW + 10 + LEGEND_ROW * rows.size() + 10;
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">",
                width, height, width, height);
        add("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", width, height);
        add(
                "<text x=\"%d\" y=\"28\" font-size=\"18\" font-weight=\"bold\" fill=\"#111111\">%s</text>",
                20, escape(title));
        int y = 46;
        for (String line : subtitle.split("\n", -1)) {
            add("<text x=\"20\" y=\"%d\" font-size=\"11\" fill=\"#555555\">%s</text>", y, escape(line));
            y += 14;
        }
        for (int i = 0; i < panels.size(); i++) {
            panel(panels.get(i), i * panelWidth);
        }
        legend(rows, TOP + HEIGHT + BELOW + 14);
        add("</svg>");
        return svg.toString();
    }

    @SuppressWarnings("AnnotateFormatMethod") // for this class's own formats
    private void add(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** An axis with the range of its values, and where they lie. */
    private static final class Range {
        private final Axis axis;
        private final double low;
        private final double high;
        private final double from;
        private final double to;

        Range(Axis axis, List<Double> values, double from, double to) {
            this.axis = axis;
            this.from = from;
            this.to = to;
            double least =
                    values.stream().mapToDouble(Double::doubleValue).min().orElse(0);
            double most = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
            switch (axis.scale()) {
                case LINEAR -> {
                    low = 0;
                    double step = step(Math.max(most, 1e-3) / 5);
                    high = Math.ceil(Math.max(most, 1e-3) / step) * step;
                }
                case LOG -> {
                    low = Math.floor(Math.log10(Math.max(1e-3, least)) * 10) / 10 - 0.02;
                    high = Math.max(low + 0.3, Math.ceil(Math.log10(Math.max(1e-3, most)) * 10) / 10 + 0.02);
                }
                default -> {
                    low = transform(least);
                    high = Math.max(low + 1, transform(most));
                }
            }
        }

        /** 1, 2 or 5 times a power of ten, at least the value. */
        private static double step(double value) {
            double power = Math.pow(10, Math.floor(Math.log10(value)));
            double digit = value / power;
            return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
        }

        private double transform(double value) {
            return switch (axis.scale()) {
                case LINEAR -> value;
                case LOG -> Math.log10(Math.max(1e-3, value));
                case PERCENTILE -> -Math.log10(Math.max(1e-9, 1 - value / 100));
            };
        }

        double at(double value) {
            return from + (transform(value) - low) / (high - low) * (to - from);
        }

        List<Double> ticks() {
            List<Double> ticks = new ArrayList<>();
            if (!axis.ticks().isEmpty()) {
                axis.ticks().stream().filter(this::isInside).forEach(ticks::add);
            } else if (axis.scale() == Scale.LINEAR) {
                double step = step(high / 6);
                for (double value = 0; value <= high * 1.0001; value += step) {
                    ticks.add(value);
                }
            } else {
                boolean close = high - low <= 2.2;
                for (int power = -3; power <= 9; power++) {
                    for (int digit : close ? new int[] {1, 2, 5} : new int[] {1}) {
                        ticks.add(digit * Math.pow(10, power));
                    }
                }
                ticks.removeIf(value -> !isInside(value));
            }
            return ticks;
        }

        private boolean isInside(double value) {
            double transformed = transform(value);
            return transformed >= low - 1e-9 && transformed <= high + 1e-9;
        }
    }

    private static String number(double value) {
        if (value >= 10_000) {
            return String.format(Locale.ROOT, "%,.0f", value).replace(',', ' ');
        }
        String text = String.format(Locale.ROOT, "%.4f", value);
        return text.replaceAll("0+$", "").replaceAll("\\.$", "");
    }

    private void panel(Panel panel, int offset) {
        int left = offset + LEFT;
        int right = offset + panelWidth - RIGHT;
        int bottom = TOP + HEIGHT;
        Range x = new Range(panel.x(), values(panel, true), left, right);
        Range y = new Range(panel.y(), values(panel, false), bottom, TOP);
        add(
                "<text x=\"%d\" y=\"%d\" font-size=\"13\" font-weight=\"bold\" fill=\"#222222\">%s</text>",
                left, TOP - 10, escape(panel.title()));
        for (double tick : y.ticks()) {
            add(
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#e3e3e3\"/>",
                    left, y.at(tick), right, y.at(tick));
            add(
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#444444\">%s</text>",
                    left - 8, y.at(tick) + 4, number(tick));
        }
        for (double tick : x.ticks()) {
            add(
                    "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#f0f0f0\"/>",
                    x.at(tick), TOP, x.at(tick), bottom);
            String unit = panel.x().scale() == Scale.PERCENTILE ? "%" : "";
            add(
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#444444\">%s%s</text>",
                    x.at(tick), bottom + 18, number(tick), unit);
        }
        add("<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888888\"/>", left, TOP, bottom, right);
        add(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#222222\">%s</text>",
                (left + right) / 2, bottom + 40, escape(panel.x().label()));
        add(
                "<text transform=\"translate(%d %d) rotate(-90)\" text-anchor=\"middle\" fill=\"#222222\">%s</text>",
                offset + 18, (TOP + bottom) / 2, escape(panel.y().label()));
        panel.lines().forEach(line -> line(line, x, y));
    }

    private static List<Double> values(Panel panel, boolean across) {
        return panel.lines().stream()
                .flatMap(line -> line.points().stream())
                .map(point -> across ? point.x() : point.y())
                .toList();
    }

    private void line(Line line, Range x, Range y) {
        StringBuilder path = new StringBuilder();
        for (Point point : line.points()) {
            path.append(String.format(
                    Locale.ROOT, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x.at(point.x()), y.at(point.y())));
        }
        add("<path d=\"%s\" fill=\"none\" stroke-linejoin=\"round\" %s/>", path, stroke(line.name()));
        if (line.marked()) {
            for (Point point : line.points()) {
                add(
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>",
                        x.at(point.x()), y.at(point.y()), colour(line.name()));
            }
        }
    }

    private String colour(String name) {
        return COLOURS.get(names.indexOf(name) % COLOURS.size());
    }

    private String stroke(String name) {
        String dash = switch (names.indexOf(name) / COLOURS.size()) {
            case 0 -> "";
            case 1 -> " stroke-dasharray=\"7 3\"";
            default -> " stroke-dasharray=\"2 3\"";
        };
        return "stroke=\"" + colour(name) + "\" stroke-width=\"2\"" + dash;
    }

    private static int legendWidth(String name) {
        return 52 + CHARACTER * name.length();
    }

    private List<List<String>> legendRows(int width) {
        List<List<String>> rows = new ArrayList<>();
        int used = width;
        for (String name : names) {
            if (used + legendWidth(name) > width - 40) {
                rows.add(new ArrayList<>());
                used = 0;
            }
            rows.get(rows.size() - 1).add(name);
            used += legendWidth(name);
        }
        return rows;
    }

    private void legend(List<List<String>> rows, int top) {
        int y = top;
        for (List<String> row : rows) {
            int x = 24;
            for (String name : row) {
                add("<path d=\"M%d %dH%d\" %s/>", x, y, x + 28, stroke(name));
                add("<text x=\"%d\" y=\"%d\" fill=\"#222222\">%s</text>", x + 34, y + 4, escape(name));
                x += legendWidth(name);
            }
            y += LEGEND_ROW;
        }
    }
}

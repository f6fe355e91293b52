// Paints a figure of bars and lines at once, as Plotly would draw it but without what only somebody
// who points at it needs: Plotly is 4.8 MB to read, this is not. Colours are resolved already.
"use strict";

const paintFigure = (() => {
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const TICK_LENGTHS = [1, 2, 5, 10];
  const LETTERS = ["", "k", "M", "B", "T"];
  // What Plotly leaves free above what is highest: a share of the height, and pixels for a marker.
  const SPARE = 0.05;
  const MARKER_PIXELS = 3;

  const element = (name, attributes, parent) => {
    const made = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    parent?.append(made);
    return made;
  };

  const isPaintable = ({ data, layout }) =>
    layout.xaxis.type === "category" &&
    !layout.shapes &&
    data.every(({ type, y }) => ["bar", "scatter"].includes(type) && y.every((value) => value >= 0));

  // Steps of 1, 2 or 5 such that no more than so many are in the range.
  const stepOf = (top, count) => {
    const size = 10 ** Math.floor(Math.log10(top / count));
    return size * TICK_LENGTHS.find((length) => size * length * count >= top * 0.999);
  };

  // A letter stands for thousands where the axis reaches tens of them: 5,000, but 10k.
  const unitOf = (axis, top) => {
    const exponent = Math.floor(Math.log10(top) + 0.01);
    if (!axis.exponentformat || exponent <= 3) return [1, ""];
    const thousands = Math.min(Math.round((exponent - 1) / 3), LETTERS.length - 1);
    return [1000 ** thousands, LETTERS[thousands]];
  };

  const tickText = (value, axis, step, top) => {
    const [unit, letter] = unitOf(axis, top);
    const fixed = /\.(\d+)f$/.exec(axis.tickformat ?? "");
    const needed = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
    const digits = {
      minimumFractionDigits: fixed ? Number(fixed[1]) : 0,
      maximumFractionDigits: fixed ? Number(fixed[1]) : needed,
    };
    const number = (value / unit).toLocaleString("en", digits);
    return `${axis.tickprefix ?? ""}${number}${value === 0 ? "" : letter}${axis.ticksuffix ?? ""}`;
  };

  const ticksOf = (axis, top) => {
    const step = stepOf(top, axis.nticks);
    const count = Math.floor(top / step + 1e-4) + 1;
    return Array.from({ length: count }, (_, number) => {
      const value = number * step;
      return { value, label: tickText(value, axis, step, top) };
    });
  };

  // Where the axis ends, so many pixels high.
  const topOf = (data, places, pixels) => {
    const stacks = Array(places).fill(0);
    const bars = data.filter(({ type }) => type === "bar");
    bars.forEach(({ y }) => y.forEach((value, place) => (stacks[place] += value ?? 0)));
    const ends = data.filter(({ type }) => type !== "bar").map(({ y, mode }) => {
      const spare = mode.includes("markers") ? SPARE + MARKER_PIXELS / pixels : SPARE;
      return Math.max(...y.map(Number)) / (1 - spare);
    });
    return Math.max(Math.max(...stacks) / (1 - SPARE), ...ends, 0) || 1;
  };

  const widest = (ticks, font) => {
    const context = document.createElement("canvas").getContext("2d");
    context.font = `${font.size}px ${font.family}`;
    return Math.max(...ticks.map(({ label }) => context.measureText(label).width));
  };

  const text = (content, attributes, font, parent) => {
    const shared = { fill: font.color, "font-size": font.size, "font-family": font.family };
    element("text", { ...shared, ...attributes }, parent).textContent = content;
  };

  const hatch = (id, colour, svg) => {
    const pattern = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" };
    const made = element("pattern", pattern, element("defs", {}, svg));
    element("path", { d: "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", stroke: colour, "stroke-width": 1.7 }, made);
  };

  const paintBars = (data, { x, y, width }, gap, id, svg) => {
    const base = Array(data[0]?.y.length ?? 0).fill(0);
    data.forEach(({ y: values, marker }) => {
      const outline = { stroke: marker.line?.color ?? "none", "stroke-width": marker.line?.width ?? 0 };
      const pattern = marker.pattern;
      values.forEach((value, place) => {
        if (!value) return;
        const [top, bottom] = [y(base[place] + value), y(base[place])];
        base[place] += value;
        const box = {
          x: x(place) - (width * (1 - gap)) / 2,
          y: top,
          width: width * (1 - gap),
          height: Math.max(bottom - top, 0),
        };
        element("rect", { ...box, ...outline, fill: marker.color }, svg);
        if (!pattern?.shape[place]) return;
        if (!svg.querySelector("pattern")) hatch(id, pattern.fgcolor, svg);
        element("rect", { ...box, fill: `url(#${id})` }, svg);
      });
    });
  };

  const paintLine = ({ y: values, line, marker, mode }, { x, y }, svg) => {
    const steps = values.map((value, place) =>
      value === null ? "" : `${(values[place - 1] ?? null) === null ? "M" : "L"}${x(place)},${y(value)}`
    );
    const stroke = { stroke: line.color, "stroke-width": line.width, fill: "none" };
    const dots = line.dash === "dot" ? { "stroke-dasharray": "3,3" } : {};
    element("path", { d: steps.join(""), ...stroke, ...dots }, svg);
    if (!mode.includes("markers")) return;
    values.forEach((value, place) => {
      if (value === null) return;
      element("circle", { cx: x(place), cy: y(value), r: marker.size / 2, fill: marker.color }, svg);
    });
  };

  const paintAxes = ({ layout, ticks, left, bottom, right }, { x, y }, svg) => {
    const { xaxis, yaxis, font } = layout;
    ticks.forEach(({ value, label }) => {
      const line = { x1: left, x2: right, y1: y(value), y2: y(value), stroke: yaxis.gridcolor };
      element("line", line, svg);
      text(label, { x: left - 1, y: y(value) + 4, "text-anchor": "end" }, font, svg);
    });
    const base = { x1: left, x2: right, y1: bottom, y2: bottom, stroke: xaxis.linecolor };
    element("line", base, svg);
    xaxis.tickvals.forEach((name, number) => {
      const at = { x: x(xaxis.categoryarray.indexOf(name)), y: bottom + 15, "text-anchor": "middle" };
      text(xaxis.ticktext[number], at, font, svg);
    });
  };

  // False where only Plotly can draw it.
  return (holder, figure) => {
    if (!isPaintable(figure)) return false;
    const { data, layout } = figure;
    const [width, height] = [holder.clientWidth, holder.clientHeight];
    const places = layout.xaxis.categoryarray.length;
    const right = width - layout.margin.r;
    const [top, bottom] = [layout.margin.t, height - layout.margin.b];
    const most = topOf(data, places, bottom - top);
    const ticks = ticksOf(layout.yaxis, most);
    const left = Math.max(layout.margin.l, widest(ticks, layout.font) + 2);
    const each = (right - left) / places;
    holder.replaceChildren();
    // No room for a single bar: the next width may have it.
    if (each <= 0 || bottom <= top) return true;
    const scale = {
      width: each,
      x: (place) => left + each * (place + 0.5),
      y: (value) => bottom - (value / most) * (bottom - top),
    };
    const svg = element("svg", { width, height, class: "painted", "aria-hidden": "true" });
    paintAxes({ layout, ticks, left, bottom, right }, scale, svg);
    const bars = data.filter(({ type }) => type === "bar");
    paintBars(bars, scale, layout.bargap, `${holder.dataset.chart}-hatch`, svg);
    data.filter(({ type }) => type !== "bar").forEach((trace) => paintLine(trace, scale, svg));
    holder.append(svg);
    return true;
  };
})();

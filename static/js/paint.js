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
  const DASHES = { dot: "3,3", dash: "9,9" };

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

  // A line may begin or end within the axis, so its own names say where its values stand.
  const pointsOf = ({ x: names, y: values }, { x, y, places }) =>
    values.map((value, number) => (value === null ? null : [x(places.get(names[number])), y(value)]));

  // Between a line and the one before it, which has the same places.
  const paintBand = (trace, before, scale, svg) => {
    const edge = [...pointsOf(before, scale), ...pointsOf(trace, scale).reverse()];
    element("polygon", { points: edge.join(" "), fill: trace.fillcolor }, svg);
  };

  const paintPath = ({ line }, points, svg) => {
    const steps = points.map((point, place) => point && `${points[place - 1] ? "L" : "M"}${point}`);
    const stroke = { stroke: line.color, "stroke-width": line.width, fill: "none" };
    const dashes = DASHES[line.dash] ? { "stroke-dasharray": DASHES[line.dash] } : {};
    element("path", { d: steps.join(""), ...stroke, ...dashes }, svg);
  };

  const paintMarker = ({ symbol, size, color, line }, [cx, cy], svg) => {
    const open = { fill: "none", stroke: color, "stroke-width": line?.width ?? 1 };
    const look = symbol === "circle-open" ? open : { fill: color };
    element("circle", { cx, cy, r: size / 2, ...look }, svg);
  };

  const paintLine = (trace, scale, { font, hoverlabel }, svg) => {
    const { marker, mode } = trace;
    const ground = hoverlabel?.bgcolor ?? "none";
    const points = pointsOf(trace, scale);
    if (mode.includes("lines")) paintPath(trace, points, svg);
    points.forEach((point, place) => {
      if (!point) return;
      const [cx, cy] = point;
      if (mode.includes("markers")) paintMarker(marker, point, svg);
      if (!mode.includes("text") || !trace.text[place]) return;
      // A rim of the ground's colour keeps the name readable over what it crosses.
      const rim = { stroke: ground, "stroke-width": 3, "paint-order": "stroke" };
      const isBelow = trace.textposition === "bottom right";
      const at = isBelow ? { x: cx + 5, y: cy + 15, "text-anchor": "start" } : { x: cx, y: cy - 5, "text-anchor": "end" };
      const named = { ...at, ...rim };
      text(trace.text[place], named, { ...font, ...trace.textfont }, svg);
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
    const most = layout.yaxis.range?.[1] ?? topOf(data, places, bottom - top);
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
      places: new Map(layout.xaxis.categoryarray.map((name, place) => [name, place])),
    };
    const svg = element("svg", { width, height, class: "painted", "aria-hidden": "true" });
    paintAxes({ layout, ticks, left, bottom, right }, scale, svg);
    const bars = data.filter(({ type }) => type === "bar");
    paintBars(bars, scale, layout.bargap, `${holder.dataset.chart}-hatch`, svg);
    const lines = data.filter(({ type }) => type !== "bar");
    lines.forEach((trace, number) => {
      if (trace.fill) paintBand(trace, lines[number - 1], scale, svg);
      paintLine(trace, scale, layout, svg);
    });
    holder.append(svg);
    return true;
  };
})();

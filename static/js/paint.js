// Paints a figure of bars and lines at once, as Plotly would draw it but without what only somebody
// who points at it needs: Plotly is 4.8 MB to read, this is not. Colours are resolved already.
"use strict";

const paintFigure = (() => {
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const TICK_LENGTHS = [1, 2, 5, 10];
  const SUFFIXES = [[1e9, "B"], [1e6, "M"], [1e3, "k"]];

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

  const decimalsOf = (axis, step) => {
    const fixed = /\.(\d+)f$/.exec(axis.tickformat ?? "");
    return fixed ? Number(fixed[1]) : Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  };

  const tickText = (value, axis, step) => {
    const [unit, letter] = (axis.exponentformat && SUFFIXES.find(([size]) => step >= size)) || [1, ""];
    const decimals = value === 0 && letter ? 0 : decimalsOf(axis, step / unit);
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const number = (value / unit).toLocaleString("en", digits);
    return `${axis.tickprefix ?? ""}${number}${value === 0 ? "" : letter}${axis.ticksuffix ?? ""}`;
  };

  const highest = (data, places) => {
    const stacks = Array(places).fill(0);
    const bars = data.filter(({ type }) => type === "bar");
    bars.forEach(({ y }) => y.forEach((value, place) => (stacks[place] += value ?? 0)));
    const lines = data.filter(({ type }) => type !== "bar").flatMap(({ y }) => y.map(Number));
    return Math.max(...stacks, ...lines, 0);
  };

  const text = (content, attributes, font, parent) => {
    const shared = { fill: font.color, "font-size": font.size, "font-family": font.family };
    element("text", { ...shared, ...attributes }, parent).textContent = content;
  };

  const hatch = (id, colour, svg) => {
    const pattern = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" };
    const made = element("pattern", pattern, element("defs", {}, svg));
    element("path", { d: "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", stroke: colour, "stroke-width": 2 }, made);
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

  const paintAxes = ({ layout, step, top, left, bottom, right }, { x, y }, svg) => {
    const { xaxis, yaxis, font } = layout;
    for (let value = 0; value <= top * 1.0001; value += step) {
      const line = { x1: left, x2: right, y1: y(value), y2: y(value), stroke: yaxis.gridcolor };
      element("line", line, svg);
      const at = { x: left - 4, y: y(value) + 4, "text-anchor": "end" };
      text(tickText(value, yaxis, step), at, font, svg);
    }
    const base = { x1: left, x2: right, y1: bottom, y2: bottom, stroke: xaxis.linecolor };
    element("line", base, svg);
    xaxis.tickvals.forEach((name, number) => {
      const at = { x: x(xaxis.categoryarray.indexOf(name)), y: bottom + 17, "text-anchor": "middle" };
      text(xaxis.ticktext[number], at, font, svg);
    });
  };

  // False where only Plotly can draw it.
  return (holder, figure) => {
    if (!isPaintable(figure)) return false;
    const { data, layout } = figure;
    const [width, height] = [holder.clientWidth, holder.clientHeight];
    const places = layout.xaxis.categoryarray.length;
    const [left, right] = [layout.margin.l, width - layout.margin.r];
    const [top, bottom] = [layout.margin.t, height - layout.margin.b];
    const most = highest(data, places) * 1.05 || 1;
    const each = (right - left) / places;
    const scale = {
      width: each,
      x: (place) => left + each * (place + 0.5),
      y: (value) => bottom - (value / most) * (bottom - top),
    };
    const svg = element("svg", { width, height, class: "painted", "aria-hidden": "true" });
    const step = stepOf(most, layout.yaxis.nticks);
    paintAxes({ layout, step, top: most, left, bottom, right }, scale, svg);
    const bars = data.filter(({ type }) => type === "bar");
    paintBars(bars, scale, layout.bargap, `${holder.dataset.chart}-hatch`, svg);
    data.filter(({ type }) => type !== "bar").forEach((trace) => paintLine(trace, scale, svg));
    holder.replaceChildren(svg);
    return true;
  };
})();

// Runs before Plotly, which writes styles into the page. The page's policy forbids that, because a
// name that ended up as HTML could bring a style along. What a script says by itself may pass as
// properties; rules are in plotly.css, and those for maps, which it makes in any case, come to
// nothing.
"use strict";

(() => {
  const setAttribute = Element.prototype.setAttribute;
  const createElement = Document.prototype.createElement;

  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };

  Document.prototype.createElement = function (name, ...options) {
    return createElement.call(this, name === "style" ? "template" : name, ...options);
  };
})();

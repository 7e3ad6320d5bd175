// The buttons above a text in Markdown: what is selected becomes bold, a list or a link.
(function () {
  "use strict";
  var WAYS = {
    bold: function (text) { return { before: "**", text: text || "加粗的字", after: "**" }; },
    list: function (text) { return { before: "- ", text: (text || "第一项").split("\n").join("\n- "), after: "" }; },
    link: function (text) { return { before: "[" + (text || "文字") + "](", text: "https://", after: ")" }; }
  };

  // A list is of whole lines, and stands apart from the text above it.
  function lines(area) {
    var start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1, end = area.value.indexOf("\n", area.selectionEnd);
    area.setSelectionRange(start, end < 0 ? area.value.length : end);
    var above = area.value.slice(0, start);
    return !above || /\n\n$/.test(above) || /(^|\n)- [^\n]*\n$/.test(above) ? "" : "\n";
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-markdown]");
    if (!button) return;
    var area = document.getElementById(button.getAttribute("aria-controls")), how = button.dataset.markdown;
    area.focus();
    var apart = how === "list" ? lines(area) : "", from = area.selectionStart;
    var told = WAYS[how](area.value.slice(from, area.selectionEnd)), whole = apart + told.before + told.text + told.after;
    // Only what is inserted like this can be undone with the keyboard.
    if (!document.execCommand("insertText", false, whole)) return;
    from += apart.length + (how === "list" ? 0 : told.before.length);
    area.setSelectionRange(from, from + (how === "list" ? told.before.length : 0) + told.text.length);
  });
})();

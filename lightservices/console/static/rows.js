// Rows of a form that come, go and move, and texts that are counted while one types.
(function () {
  "use strict";

  // A gap counts as what will stand there, without the words that say where to find it.
  function length(text) {
    return Array.from(text.replace(/【请填写：([^【】：；]+)；来源：[^【】：；]+】/g, "$1")).length;
  }
  function count(field) {
    var most = Number(field.dataset.most);
    if (!most) return;
    var shown = field.id && document.querySelector('[data-count-of="' + field.id + '"]'), long = length(field.value) > most;
    field.classList.toggle("is-invalid", long);
    if (!shown) return;
    shown.textContent = length(field.value) + " / " + most;
    shown.classList.toggle("own__count--over", long);
  }
  document.addEventListener("input", function (event) { count(event.target); });
  document.querySelectorAll("[data-most]").forEach(count);

  // Rows move by their arrows; the focus stays on the arrow, so that it can be pressed again.
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button"), rows = button && button.closest("[data-rows]");
    if (!rows) return;
    var row = button.closest("[data-row]");
    if ("add" in button.dataset) {
      var all = rows.querySelector("[data-list]");
      if (all.children.length >= Number(rows.dataset.mostRows)) return;
      all.appendChild(rows.querySelector("template").content.cloneNode(true));
      all.lastElementChild.querySelector("input:not([type=hidden]), textarea, select").focus();
    } else if (row && "up" in button.dataset && row.previousElementSibling) {
      row.parentNode.insertBefore(row, row.previousElementSibling);
      button.focus();
    } else if (row && "down" in button.dataset && row.nextElementSibling) {
      row.parentNode.insertBefore(row.nextElementSibling, row);
      button.focus();
    } else if (row && "drop" in button.dataset) {
      var near = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      (near ? near.querySelector("[data-drop]") : rows.querySelector("[data-add]")).focus();
    } else { return; }
    rows.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();

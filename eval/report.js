"use strict";
(function () {
  var byId = function (id) { return document.getElementById(id); };
  var filters = ["verdict", "kind", "status"];
  var cases = Array.prototype.slice.call(document.querySelectorAll(".case"));
  var texts = cases.map(function (one) { return one.textContent.toLowerCase(); });

  function filter() {
    var words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    cases.forEach(function (one, i) {
      var fits = filters.every(function (name) {
        var wanted = byId(name).value;
        return !wanted || one.dataset[name] === wanted;
      }) && words.every(function (word) {
        return texts[i].indexOf(word) >= 0 || one.dataset.id.toLowerCase().indexOf(word) >= 0;
      });
      one.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("count").textContent = "显示 " + shown + " / " + cases.length + " 题";
    byId("nothing").hidden = shown > 0;
  }

  function cell(text) {
    var safe = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
    return '"' + safe.replace(/"/g, '""') + '"';
  }

  function save() {
    var rows = [["编号", "问题", "结果", "批注"]];
    cases.forEach(function (one) {
      var remark = one.querySelector(".remark textarea").value.trim();
      if (remark) {
        rows.push([one.dataset.id, one.querySelector(".question").textContent, one.querySelector(".chip").textContent, remark]);
      }
    });
    if (rows.length === 1) {
      byId("count").textContent = "还没有批注：展开一题，在“批注”里写上再导出。";
      return;
    }
    var text = "\ufeff" + rows.map(function (row) { return row.map(cell).join(","); }).join("\r\n");
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "批注.csv";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }

  filters.forEach(function (name) { byId(name).addEventListener("change", filter); });
  byId("search").addEventListener("input", filter);
  byId("export").addEventListener("click", save);
  window.addEventListener("beforeunload", function (event) {
    if (cases.some(function (one) { return one.querySelector(".remark textarea").value.trim(); })) {
      event.preventDefault();
    }
  });
  filter();
}());

// What Datasette's own pages lack for those who hear them: names for fields.
const names = {
  '[name^="_filter_column"]': "Column", '[name^="_filter_op"]': "Comparison",
  '[name^="_filter_value"]': "Value", '[name="_sort"]': "Sort by", "#sql-editor": "SQL",
  ".CodeMirror textarea": "SQL",
};
// the editor is made when the page has loaded, by a handler that may come after this one
window.addEventListener("load", () => setTimeout(() => {
  for (const [which, name] of Object.entries(names)) {
    document.querySelectorAll(which).forEach((field) => field.setAttribute("aria-label", name));
  }
}));

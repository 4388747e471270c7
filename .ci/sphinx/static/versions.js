// A switch between the versions of these pages, where they lie side by side: `make docs-versions`.
// The list is a script beside the folders of the versions, so it can be read from a disk as well.
// Without it nothing is shown.
(() => {
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const parts = root.pathname.split("/").filter(Boolean);
  const here = decodeURIComponent(parts[parts.length - 1] || "");
  const page = decodeURIComponent(location.pathname.slice(root.pathname.length)) || "index.html";

  const place = (version) =>
    new URL(`../${version.name}/${version.pages.includes(page) ? page : "index.html"}`, root).href;

  const element = (name, text, more) =>
    Object.assign(document.createElement(name), { textContent: text }, more);

  const choice = (versions) => {
    const label = element("label", "Version ", { className: "version-switch" });
    const select = document.createElement("select");
    for (const version of versions) {
      select.append(new Option(version.name, place(version), false, version.name === here));
    }
    select.addEventListener("change", () => location.assign(select.value));
    label.append(select);
    document.querySelector(".sidebar-brand")?.after(label);
  };

  // Of the newest release nothing has to be said.
  const note = (newest) => {
    const said = here === "main" ? "of what is not released yet" : `of version ${here}`;
    const line = element("p", `This page is ${said}. `, { className: "version-note" });
    line.append(element("a", `The newest release is ${newest.name}`, { href: place(newest) }), ".");
    document.querySelector("article")?.prepend(line);
  };

  const list = document.createElement("script");
  list.src = new URL("../versions.js", root).href;
  list.addEventListener("load", () => {
    const versions = window.tombstoneVersions || [];
    if (!versions.some((each) => each.name === here)) return;
    choice(versions);
    if (versions[0].name !== here) note(versions[0]);
  });
  document.head.append(list);
})();

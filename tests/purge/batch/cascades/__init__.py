"""What goes along with rows: every form of `on_delete` there is, on real rows."""

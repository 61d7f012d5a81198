"""Programs that strain a dependency when a fault starts them; their death alone undoes what they did."""

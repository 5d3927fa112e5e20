//! Scenarios and properties of the procedure module.

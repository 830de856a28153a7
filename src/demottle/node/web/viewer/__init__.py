"""The images of a series for the viewer of the dashboard: which frames there are (`frames`), how they are shown (`looks`), and
the stored values of one (`values`). Nothing here draws: the browser does, from the stored values.
"""

"""The queue of a node: what has come, what is to be done with it, what has to go where. SQLite (WAL), durable after each step.

    arrivals   objects that came, series that are complete            written by the network process
    rounds     a series to be denoised, once or again                 claimed by the worker
    sends      an object that has to reach a destination              done by the network process
    shown      what a person sees: series, states, reasons, counts    read by anybody
    actions    what a person may do: send again, do again, reject     written by anybody, with a name in the log of events

The states of a round (`States`) are what a series goes through once it is complete; before that it is "receiving".
"""

"""Suite lies: honest results that were falsified; does the gate find it?"""

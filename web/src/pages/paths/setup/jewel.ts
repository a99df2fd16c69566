// Words for jewels.

export type Criticality = "" | "minimal" | "low" | "medium" | "high" | "critical";

/** choices are how critical a host can be said to be, as numbers and words of the command line. */
export const choices: { value: Criticality; label: string }[] = [
  { value: "", label: "not said (3)" }, { value: "minimal", label: "minimal (1)" }, { value: "low", label: "low (2)" }, { value: "medium", label: "medium (3)" }, { value: "high", label: "high (4)" }, { value: "critical", label: "critical (5)" },
];

/** hostName is what people call a host. */
export const hostName = (h: { id: number; address: string | null; hostnames: string[] }): string => h.address ?? h.hostnames[0] ?? `Host ${h.id}`;

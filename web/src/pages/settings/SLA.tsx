export function SLA() {
  return null;
}

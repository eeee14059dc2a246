/** An error boundary: when a view cannot be rendered, the rest of the page stays. */
import { Component, type ReactNode } from 'react';
import { texts } from './texts.ts';

export class ViewGuard extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    return (
      <div role="alert" className="card failure">
        <p className="failure-message">{texts.error.view}</p>
        <p>{texts.error.viewHint}</p>
        <button type="button" onClick={() => this.setState({ isBroken: false })}>
          {texts.retry}
        </button>
      </div>
    );
  }
}
